import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, onTestFinished, test, vi} from 'vitest';
import {findCommand, packagedExecutable, platformPackage} from '../../src/locate.js';
import {temporaryFolder} from '../support/folder.js';

test('the packaged executable lies in a folder of its own below resources', () => {
  expect(packagedExecutable('R', 'linux')).toBe(join('R', 'taskflow-sidecar', 'taskflow-sidecar'));
  expect(packagedExecutable('R', 'win32')).toBe(join('R', 'taskflow-sidecar', 'taskflow-sidecar.exe'));
});

test('a given command wins, then the packaged executable, else there is none', () => {
  const resources = temporaryFolder();
  expect(findCommand(undefined, resources)).toBeNull();
  expect(findCommand(undefined, undefined)).toBeNull();

  const executable = packagedExecutable(resources);
  mkdirSync(dirname(executable));
  writeFileSync(executable, '');
  chmodSync(executable, 0o755);

  expect(findCommand(undefined, resources)).toEqual([executable]);
  expect(findCommand(['python', '-m', 'app'], resources)).toEqual(['python', '-m', 'app']);
});

test('while the app runs from its sources, an installed package will do, after the packaged executable', () => {
  const project = temporaryFolder();
  const folder = join(project, 'node_modules', platformPackage());
  vi.spyOn(process, 'cwd').mockReturnValue(project);
  mkdirSync(dirname(packagedExecutable(folder)), {recursive: true});
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(packagedExecutable(folder), '');

  expect(findCommand(undefined, undefined)).toBeNull(); // packaged: only what the package brings
  vi.stubGlobal('process', Object.assign(Object.create(process) as object, {defaultApp: true}));
  onTestFinished(() => void vi.unstubAllGlobals());

  expect(findCommand(undefined, undefined)).toEqual([packagedExecutable(folder)]);
  expect(findCommand(undefined, temporaryFolder())).toEqual([packagedExecutable(folder)]);
});
