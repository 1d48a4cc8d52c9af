import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {build} from 'esbuild';
import {_electron, type ElectronApplication} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {BRIDGE} from '../../scripts/python.mjs';
import {CONTENT_SECURITY_POLICY} from '../../src/index.js';
import {packagedExecutable, platformPackage} from '../../src/locate.js';
import {electronPart, requireBuild, startDisplay, type Display} from '../support/parts.js';
import {snippets} from '../support/readme.js';
import {sidecar} from '../support/real.js';
import {until} from '../support/until.js';

const electron = electronPart();
const SCREENSHOTS = join(BRIDGE, 'test', '.output', 'screenshots');
const README = readFileSync(join(BRIDGE, 'README.md'), 'utf8');
const [ES_MODULE = '', PRELOAD = '', PAGE = '', COMMON_JS = ''] = snippets(README);
const COMPONENT = /```tsx\n([^]*?)```/.exec(README)?.[1] ?? '';
const [, WHOLE = '', PARTS = ''] = [...README.matchAll(/```tsx\n([^]*?)```/g)].map(([, code]) => code ?? '');
const renders = (component: string): string => `
  import {createRoot} from 'react-dom/client';
  createRoot(document.body.appendChild(document.createElement('main'))).render(<${component} />);
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
      await bundle(PAGE + COMPONENT + renders('Badge'), join(project, 'page.js'), {format: 'iife'});
      writeFileSync(join(project, 'index.html'), '<!doctype html><body><script src="page.js"></script>');
    });

    afterAll(() => {
      display?.close();
      rmSync(project, {recursive: true, force: true});
    });

    async function launch(home: string): Promise<ElectronApplication> {
      return _electron.launch({
        executablePath: electron.value ?? '',
        args: [project, `--user-data-dir=${home}`, '--no-sandbox', '--disable-gpu', '--lang=en'],
        cwd: project,
        env: {...(process.env as Record<string, string>), ...display?.variables, HOME: home, TASKFLOW_CONFIG_DIR: ''},
      });
    }

    /** Start the app and wait until its page has read the members. */
    async function run(main: string): Promise<string[]> {
      const home = join(project, `home-of-${main}`);
      writeFileSync(join(project, 'package.json'), JSON.stringify({name: 'app', main}));
      const app = await launch(home);
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

    test('its interface is shown whole and in parts, in pages of the app with a strict policy', async () => {
      writeFileSync(join(project, 'main.js'), COMMON_JS);
      writeFileSync(join(project, 'package.json'), JSON.stringify({name: 'app', main: 'main.js'}));
      const policy = `<meta http-equiv="Content-Security-Policy" content="${CONTENT_SECURITY_POLICY}">`;
      for (const [name, code] of [
        ['whole', WHOLE],
        ['parts', PARTS + renders('Settings')],
      ] as const) {
        await bundle(code, join(project, `${name}.js`), {format: 'iife'});
        const head = `${policy}<link rel="stylesheet" href="${name}.css"><script defer src="${name}.js"></script>`;
        writeFileSync(join(project, `${name}.html`), `<!doctype html>${head}<body><p id="own">The app's</p></body>`);
      }
      const app = await launch(join(project, 'home-of-parts'));
      const page = await app.firstWindow();
      const complaints: string[] = [];
      page.on('console', (message) => {
        // Electron's own warning is about the page before: it is given late on a busy computer.
        const isOwn = message.text().includes('Electron Security Warning');
        if (['error', 'warning'].includes(message.type()) && !isOwn) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));

      await page.goto(pathToFileURL(join(project, 'parts.html')).href);
      await page
        .getByRole('heading', {name: 'Connect to the team’s database'})
        .waitFor()
        .catch((error: unknown) => {
          throw new Error(`the page complained of ${complaints.join() || 'nothing'}`, {cause: error});
        });
      await page.getByRole('button', {name: 'Set a key OpenAI'}).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Key').waitFor();
      expect(await dialog.evaluate((element) => element.closest('.taskflow') !== null)).toBe(true);
      await page.keyboard.press('Escape');
      const margin = await page.locator('#own').evaluate((element) => getComputedStyle(element).marginTop);
      expect(margin).toBe('16px'); // which the interface's own page takes away
      await page.getByText('Show the log').click();
      await page.getByLabel('Log', {exact: true}).getByText('listening').waitFor();
      await page.getByRole('textbox', {name: 'Host'}).fill('nowhere.invalid');
      await page.getByRole('textbox', {name: 'Database'}).fill('team');
      await page.getByRole('textbox', {name: 'User'}).fill('ada');
      await page.getByLabel('Password', {exact: true}).fill('secret');
      await page.getByRole('button', {name: 'Test', exact: true}).click();
      await page.getByText(/host name could not be found|did not answer in time/).waitFor();
      mkdirSync(SCREENSHOTS, {recursive: true});
      await page.screenshot({path: join(SCREENSHOTS, 'parts.png'), fullPage: true});

      await page.goto(pathToFileURL(join(project, 'whole.html')).href);
      await page.getByRole('heading', {name: 'Where should your work live?'}).waitFor();
      await page.screenshot({path: join(SCREENSHOTS, 'whole.png')});
      expect(complaints).toEqual([]);
      await app.close();
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
