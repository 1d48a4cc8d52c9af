import {execFile, execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {CHECKOUT} from '../../scripts/python.mjs';
import {cleanClone, packInto} from '../support/packed.js';
import {snippets} from '../support/readme.js';
import {Registry} from '../support/registry.js';

const require = createRequire(import.meta.url);
const project = mkdtempSync(join(tmpdir(), 'taskflow-app-'));
const installed = join(project, 'node_modules', '@taskflow', 'electron-bridge');

function run(program: string, args: string[], folder = project): string {
  return execFileSync(program, args, {cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
}

/** What the compiler says about files of the project, at its strictest. */
function typeErrors(files: string[], more: object = {}): string {
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2022', 'DOM', 'DOM.Iterable'],
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    ...more,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({compilerOptions, files}));
  return spawnSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', '.'], {
    cwd: project,
    encoding: 'utf8',
  }).stdout;
}

describe('the package, packed and installed into an empty project', () => {
  let registry: Registry;

  beforeAll(async () => {
    const archive = packInto(project, cleanClone(join(project, 'clone')));
    registry = new Registry([archive]);
    const variables = await registry.listen(join(project, '.cache'));
    writeFileSync(join(project, 'package.json'), JSON.stringify({name: 'app', version: '1.0.0', private: true}));
    // By name, as from the real registry; of the sidecar's packages none is there, and npm goes on without.
    const install = ['install', '--ignore-scripts', '--omit=peer', '@taskflow/electron-bridge'];
    await promisify(execFile)('npm', install, {cwd: project, env: {...process.env, ...variables}});
    // What every TypeScript project for Electron has anyway.
    mkdirSync(join(project, 'node_modules', '@types'), {recursive: true});
    symlinkSync(dirname(require.resolve('@types/node/package.json')), join(project, 'node_modules', '@types', 'node'));
    for (const name of ['undici-types', 'electron', '@types/react']) {
      symlinkSync(dirname(require.resolve(`${name}/package.json`)), join(project, 'node_modules', name));
    }
  }, 120_000);

  afterAll(() => {
    registry.close();
    rmSync(project, {recursive: true, force: true});
  });

  test('brings what is built, its licences and nothing else', () => {
    expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    expect(readdirSync(join(installed, 'dist')).sort()).toEqual([
      'THIRD_PARTY_NOTICES.txt',
      'cjs',
      'esm',
      'sbom.cdx.json',
      'ui',
    ]);
    expect(readdirSync(join(installed, 'dist', 'ui')).sort()).toEqual([
      'assets',
      'index.html',
      'licenses.md',
      'manifest.json',
      'parts',
    ]);
  });

  test('lists every package whose code is in it, with its licence, and names the sidecars', () => {
    const read = (...path: string[]): string => readFileSync(join(installed, ...path), 'utf8');
    const {components} = JSON.parse(read('dist', 'sbom.cdx.json')) as {components: {name: string; version: string}[]};
    const notices = read('dist', 'THIRD_PARTY_NOTICES.txt');
    const sources = ['esm', 'cjs'].flatMap((format) =>
      readdirSync(join(installed, 'dist', format))
        .filter((name) => name.endsWith('.js'))
        .flatMap((name) => [
          ...read('dist', format, name).matchAll(/^\/\/ (?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//gm),
        ]),
    );
    const bundled = new Set(sources.map(([, name]) => name));
    const shown = [...read('dist', 'ui', 'licenses.md').matchAll(/^## (\S+) /gm)].map(([, name]) => name);

    expect(bundled.size).toBeGreaterThan(0);
    expect(shown).toContain('react');
    expect(components.map(({name}) => name)).toEqual(expect.arrayContaining([...bundled, ...shown]));
    for (const {name, version} of components) expect(notices).toContain(`\n${name} ${version} (`);

    const {optionalDependencies, version} = JSON.parse(read('package.json')) as {
      optionalDependencies: Record<string, string>;
      version: string;
    };
    const made = /SYSTEMS = \((.*)\)/.exec(readFileSync(join(CHECKOUT, 'scripts', '_npm_package.py'), 'utf8'))?.[1];
    const systems = [...(made ?? '').matchAll(/"(.+?)"/g)].map(([, system]) => `@taskflow/sidecar-${system ?? ''}`);
    expect(optionalDependencies).toEqual(Object.fromEntries(systems.map((name) => [name, version])));
    expect(readFileSync(join(project, 'clone', 'electron-bridge', 'package.json'), 'utf8')).not.toContain(
      'optionalDependencies',
    );
  });

  test('works as an ES module', () => {
    writeFileSync(
      join(project, 'main.mjs'),
      `import * as main from '@taskflow/electron-bridge';
       import {createSidecarClient} from '@taskflow/electron-bridge/renderer';
       import {INVOKE_CHANNELS} from '@taskflow/electron-bridge/contract';
       console.log(typeof main.startSidecar, typeof main.registerSidecarIpc, typeof createSidecarClient, INVOKE_CHANNELS.retry);`,
    );

    expect(run(process.execPath, ['main.mjs'])).toBe('function function function taskflow:retry\n');
  });

  test('works as CommonJS', () => {
    writeFileSync(
      join(project, 'main.cjs'),
      `const main = require('@taskflow/electron-bridge');
       const {createSidecarClient} = require('@taskflow/electron-bridge/renderer');
       const {INVOKE_CHANNELS} = require('@taskflow/electron-bridge/contract');
       console.log(typeof main.startSidecar, typeof main.registerSidecarIpc, typeof createSidecarClient, INVOKE_CHANNELS.retry);
       console.log(require('path').basename(require.resolve('@taskflow/electron-bridge/ui/index.html')));`,
    );

    expect(run(process.execPath, ['main.cjs'])).toBe('function function function taskflow:retry\nindex.html\n');
  });

  test.each(['esm', 'cjs'])('the %s preload needs Electron alone, as a sandboxed one must', (format) => {
    const code = readFileSync(join(installed, 'dist', format, 'preload.js'), 'utf8');

    const needed = [...code.matchAll(/(?:require\(|from )"([^"]+)"/g)].map(([, name]) => name);
    expect(needed).toEqual(['electron']);
  });

  test('its types are strict and right for both module forms', () => {
    const source = `
      import {startSidecar, registerSidecarIpc, SidecarError, type Sidecar, type SidecarState} from '@taskflow/electron-bridge';
      import {createSidecarClient} from '@taskflow/electron-bridge/renderer';
      import {INVOKE_CHANNELS, type Snapshot} from '@taskflow/electron-bridge/contract';
      export const sidecar: Sidecar = startSidecar({configDir: '/tmp', restart: {limit: 1}});
      export async function names(): Promise<string[]> {
        const {data, error} = await sidecar.client.GET('/api/v1/members');
        if (data === undefined) throw new Error(error.error);
        return data.map((member) => member.name);
      }
      export const client = (window: {taskflow: Parameters<typeof createSidecarClient>[0]}) => createSidecarClient(window.taskflow);
      export const channel: 'taskflow:retry' = INVOKE_CHANNELS.retry;
      export const describe = (state: SidecarState): string => (state.kind === 'failed' ? state.problem.remedy : state.kind);
      export const isOurs = (error: unknown): boolean => error instanceof SidecarError && error.code === 'already-running';
      export type {Snapshot};
      // @ts-expect-error no such option
      startSidecar({unknown: true});
      // @ts-expect-error no such resource
      void sidecar.client.GET('/api/v1/nothing');
      export {registerSidecarIpc};
    `;
    writeFileSync(join(project, 'app.mts'), source);
    writeFileSync(join(project, 'app.cts'), source);

    expect(typeErrors(['app.mts', 'app.cts'])).toBe('');
  });

  test('its components are typed, as its README uses them', () => {
    const readme = readFileSync(join(installed, 'README.md'), 'utf8');
    const shown = snippets(readme, 'tsx');
    const wrong = `
      import {ConnectionForm, TaskflowParts, showTaskflow} from '@taskflow/electron-bridge/ui';
      // @ts-expect-error no such option
      showTaskflow(document.body, {token: ''});
      // @ts-expect-error no such page
      export const parts = <TaskflowParts onOpen={(page: 'tasks') => page} />;
      // @ts-expect-error no such part
      export const form = <ConnectionForm onSave={() => undefined} />;
    `;
    const files = [...shown, wrong].map((code, index) => [`component-${index}.tsx`, code] as const);
    for (const [name, code] of files) writeFileSync(join(project, name), code);

    expect(shown).toHaveLength(3);
    const options = {module: 'ESNext', moduleResolution: 'bundler', jsx: 'react-jsx'};
    expect(
      typeErrors(
        files.map(([name]) => name),
        options,
      ),
    ).toBe('');
  });

  test('the code in its README compiles', () => {
    const readme = readFileSync(join(installed, 'README.md'), 'utf8');
    const [main, preload, page, , ...others] = snippets(readme);
    const given = `
      import {join} from 'node:path';
      import {app, ipcMain, safeStorage} from 'electron';
      import {registerSidecarIpc, startSidecar, type Sidecar} from '@taskflow/electron-bridge';
      declare const sidecar: Sidecar;
      declare const autoUpdater: {on(event: 'update-downloaded', listener: () => void): void; quitAndInstall(): void};
      declare class OpenAI { constructor(options: {baseURL: string; apiKey: string; fetch: typeof fetch}); }
      declare class Anthropic { constructor(options: {baseURL: string; apiKey: string; fetch: typeof fetch}); }
      declare function showToThePersonAndAsk(key: string): Promise<boolean>;
      export {join, app, ipcMain, safeStorage, registerSidecarIpc, startSidecar, sidecar, showToThePersonAndAsk, OpenAI, Anthropic, autoUpdater};
    `;
    const files = {
      'readme-main.mts': main,
      'readme-preload.cts': preload,
      'readme-page.mts': page,
      ...Object.fromEntries(others.map((code, index) => [`readme-${index}.mts`, given + code])),
    };
    for (const [name, code] of Object.entries(files)) writeFileSync(join(project, name), code ?? '');

    expect(others).toHaveLength(4);
    // Electron's own declarations contradict those of a newer Node.
    expect(typeErrors(Object.keys(files), {skipLibCheck: true})).toBe('');
  });
});
