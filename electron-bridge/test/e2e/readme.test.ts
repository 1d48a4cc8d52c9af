import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {build} from 'esbuild';
import {_electron} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {BRIDGE} from '../../scripts/python.mjs';
import {packagedExecutable, platformPackage} from '../../src/locate.js';
import {electronPart, requireBuild, startDisplay, type Display} from '../support/parts.js';
import {jsSnippets} from '../support/readme.js';
import {sidecar} from '../support/real.js';
import {until} from '../support/until.js';

const electron = electronPart();
const README = readFileSync(join(BRIDGE, 'README.md'), 'utf8');
const [ES_MODULE = '', PRELOAD = '', PAGE = '', COMMON_JS = ''] = jsSnippets(README);
const COMPONENT = /```tsx\n([^]*?)```/.exec(README)?.[1] ?? '';
const RENDERED = `
  import {createRoot} from 'react-dom/client';
  createRoot(document.body.appendChild(document.createElement('main'))).render(<Badge />);
`;

/** Bundle code as apps do. */
async function bundle(
  contents: string,
  outfile: string,
  options: {format: 'cjs' | 'iife'; banner?: string},
): Promise<void> {
  await build({
    stdin: {contents, resolveDir: dirname(outfile), loader: 'tsx'},
    jsx: 'automatic',
    define: {'import.meta.url': 'mainUrl'},
    outfile,
    bundle: true,
    logLevel: 'warning',
    platform: options.format === 'cjs' ? 'node' : 'browser',
    format: options.format,
    external: ['electron', 'undici'],
    banner: {js: options.banner ?? ''},
  });
}

describe.skipIf(electron.missing !== null || sidecar.missing !== null || process.platform === 'win32')(
  'the first screen of the README',
  () => {
    const project = mkdtempSync(join(tmpdir(), 'taskflow-readme-'));
    let display: Display | null = null;

    beforeAll(async () => {
      requireBuild();
      display = await startDisplay();
      const scope = join(project, 'node_modules', '@taskflow');
      mkdirSync(scope, {recursive: true});
      symlinkSync(BRIDGE, join(scope, 'electron-bridge'));
      for (const name of ['react', 'react-dom'])
        symlinkSync(join(BRIDGE, 'node_modules', name), join(project, 'node_modules', name));
      // A sidecar as its npm package brings it.
      const packaged = packagedExecutable(join(project, 'node_modules', platformPackage()));
      mkdirSync(dirname(packaged), {recursive: true});
      writeFileSync(join(dirname(dirname(packaged)), 'package.json'), '{}');
      const command = (sidecar.value ?? []).map((word) => `'${word}'`).join(' ');
      writeFileSync(packaged, `#!/bin/sh\nexec ${command} "$@"\n`, {mode: 0o755});
      await bundle(PRELOAD, join(project, 'preload.js'), {format: 'cjs'});
      await bundle(PAGE + COMPONENT + RENDERED, join(project, 'page.js'), {format: 'iife'});
      writeFileSync(join(project, 'index.html'), '<!doctype html><body><script src="page.js"></script>');
    });

    afterAll(() => {
      display?.close();
      rmSync(project, {recursive: true, force: true});
    });

    /** Start the app and wait until its page has read the members. */
    async function run(main: string): Promise<string[]> {
      const home = join(project, `home-of-${main}`);
      writeFileSync(join(project, 'package.json'), JSON.stringify({name: 'app', main}));
      const app = await _electron.launch({
        executablePath: electron.value ?? '',
        args: [project, `--user-data-dir=${home}`, '--no-sandbox', '--disable-gpu'],
        cwd: project,
        env: {...(process.env as Record<string, string>), ...display?.variables, HOME: home, TASKFLOW_CONFIG_DIR: ''},
      });
      const said: string[] = [];
      const page = await app.firstWindow();
      page.on('console', (message) => said.push(message.text()));
      await page.reload(); // what it said before somebody listened
      await until(
        () => said.includes('0 members'),
        30_000,
        () => `the members, after ${said.join()}`,
      );
      await page.locator('main', {hasText: 'ready sqlite'}).waitFor();
      await until(() => said.includes('* resync'), 10_000, 'the changes');
      await app.close();
      // No folder was named: the settings are in the app's own.
      expect(existsSync(join(home, 'taskflow', 'fernet.key'))).toBe(true);
      return said;
    }

    test('runs as CommonJS, word for word, and keeps its settings in a folder of the app', async () => {
      writeFileSync(join(project, 'main.js'), COMMON_JS);

      expect(await run('main.js')).toContain('ready');
    });

    test('runs as an ES module, bundled for an Electron that loads none', async () => {
      const banner = "const mainUrl = require('node:url').pathToFileURL(__filename).href;";
      await bundle(ES_MODULE, join(project, 'main.cjs'), {format: 'cjs', banner});

      expect(await run('main.cjs')).toContain('ready');
    });

    test('runs as an ES module, word for word', () => {
      // This Electron loads no ES module, so the platform's Node does, with what stands for Electron around it.
      const stub = `
        const nothing = () => undefined;
        export const app = {on: nothing, quit: nothing, whenReady: () => Promise.resolve()};
        export const ipcMain = {handle: nothing};
        export class BrowserWindow {
          constructor({webPreferences}) { console.log(webPreferences.preload); }
          loadFile() { setImmediate(() => process.exit()); }
        }`;
      const module = join(project, 'esm');
      mkdirSync(join(module, 'node_modules', 'electron'), {recursive: true});
      writeFileSync(join(module, 'node_modules', 'electron', 'index.mjs'), stub);
      const described = JSON.stringify({name: 'electron', exports: './index.mjs'});
      writeFileSync(join(module, 'node_modules', 'electron', 'package.json'), described);
      writeFileSync(join(module, 'main.mjs'), ES_MODULE);

      const printed = execFileSync(process.execPath, ['main.mjs'], {cwd: module, encoding: 'utf8'});

      expect(printed.trim()).toBe(join(module, 'preload.js'));
    });
  },
);
