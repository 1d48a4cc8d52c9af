import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, test} from 'vitest';
import {findCommand, packagedExecutable} from '../../src/locate.js';
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
