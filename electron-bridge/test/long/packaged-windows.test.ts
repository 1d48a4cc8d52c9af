/** The template's app, packaged for Windows by electron-builder as the template says, and started under Wine. */
import {execFile, execFileSync, spawn} from 'node:child_process';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {filesIn} from '../support/archive.js';
import {packSidecar} from '../support/packed.js';
import {pythonPart} from '../support/parts.js';
import {Published, isIncomplete} from '../support/published.js';
import {until} from '../support/until.js';

const {WINDOWS_PYTHON: windowsPython, WINDOWS_ELECTRON: windowsElectron, WINDOWS_RUN: windowsRun} = process.env;
/**
 * A Windows Python that runs here, the folder that an Electron for Windows is unpacked in, and the words of a command
 * that runs a Windows program with a screen.
 */
const isAsked = windowsPython && windowsElectron && windowsRun && !isIncomplete;

describe.skipIf(!isAsked)('packaged for Windows by electron-builder', () => {
  let published: Published;
  let folder: string;

  beforeAll(async () => {
    published = await Published.start(packSidecar(pythonPart().value ?? '', '--windows'));
    const app = join(published.folder, 'my-app');
    await published.npm('create @taskflow/app my-app', published.folder);
    await published.npm('install', app);
    // What npm would install on Windows by itself.
    await published.npm('install --force --no-save @taskflow/sidecar-win32-x64', app);
    const words = ['run', 'package', '--', '--win', 'dir', '--x64', `-c.electronDist=${windowsElectron ?? ''}`];
    await promisify(execFile)('npm', words, {cwd: app, timeout: 400_000});
    folder = join(app, 'release', 'win-unpacked');
  });

  afterAll(() => published.close());

  test('the sidecar lies beside the archive, whole, and not inside', () => {
    const resources = join(folder, 'resources');
    const sidecar = join(resources, 'taskflow-sidecar');
    const archived = filesIn(join(resources, 'app.asar'));

    expect(existsSync(join(folder, 'my-app.exe'))).toBe(true);
    expect(readdirSync(sidecar).sort()).toEqual([
      'SHA256SUMS',
      'THIRD_PARTY_NOTICES.txt',
      'lib',
      'sbom.cdx.json',
      'taskflow-sidecar.exe',
    ]);
    expect(archived.get('node_modules/@taskflow')).toEqual(['electron-bridge']);
    expect(archived.get('dist')?.sort()).toEqual(['main.cjs', 'preload.cjs']);
  });

  test('its main process starts the sidecar, which gets ready, and ends when the app is killed', async () => {
    const data = join(published.folder, 'Daten für Zoë');
    const [run = '', ...words] = (windowsRun ?? '').split(' ');
    const switches = ['--no-sandbox', '--disable-gpu', `--user-data-dir=Z:${data}`];
    const app = spawn(run, [...words, join(folder, 'my-app.exe'), ...switches], {stdio: 'ignore', detached: true});
    const isTold = (message: string): boolean =>
      existsSync(data) &&
      readdirSync(data, {recursive: true, encoding: 'utf8'})
        .filter((name) => name.endsWith('sidecar.log'))
        .some((name) => readFileSync(join(data, name), 'utf8').includes(`"message": "${message}"`));
    const isRunning = (): boolean =>
      execFileSync('ps', ['-A', '-ww', '-o', 'args='], {encoding: 'utf8'}).includes('taskflow-sidecar.exe');
    try {
      await until(() => isTold('ready'), 120_000, 'a sidecar that is ready');
      expect(isRunning()).toBe(true);
    } finally {
      // With the screen that it was given.
      process.kill(-(app.pid ?? 0), 'SIGKILL');
    }
    // It sees the end of its stdin, or the job that Node put it into ends it: whichever Windows does first.
    await until(() => !isRunning(), 60_000, 'the end of the sidecar');
  });
});
