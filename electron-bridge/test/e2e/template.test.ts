import {execFile, spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {platformPackage} from '../../src/locate.js';
import {packBridge, packSidecar, packTemplate} from '../support/packed.js';
import {electronPart, pythonPart, startDisplay, type Display} from '../support/parts.js';
import {descendants, isAlive} from '../support/processes.js';
import {DebuggedPage} from '../support/debugged.js';
import {Registry} from '../support/registry.js';
import {until} from '../support/until.js';

const electron = electronPart();
const python = pythonPart();

describe.skipIf(electron.missing !== null || python.missing !== null || process.platform === 'win32')(
  'from an empty folder, with what is published alone',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'taskflow-new-'));
    const app = join(folder, 'my-app');
    const home = join(folder, 'home');
    let display: Display | null = null;
    let registry: Registry;
    let environment: NodeJS.ProcessEnv;

    beforeAll(async () => {
      const packed = join(folder, 'packed');
      mkdirSync(packed);
      mkdirSync(home);
      display = await startDisplay();
      registry = new Registry([packBridge(packed), packTemplate(packed), packSidecar(python.value ?? '')]);
      environment = {
        PATH: process.env['PATH'],
        HOME: home,
        TMPDIR: folder,
        ...display?.variables,
        ...(await registry.listen(join(folder, 'cache'))),
        // Electron's own download comes from elsewhere; the one that is here stands in for it.
        ELECTRON_SKIP_BINARY_DOWNLOAD: '1',
        ELECTRON_OVERRIDE_DIST_PATH: dirname(electron.value ?? ''),
      };
    }, 300_000);

    afterAll(() => {
      registry.close();
      display?.close();
      rmSync(folder, {recursive: true, force: true});
    });

    async function npm(words: string, cwd: string): Promise<string> {
      return (await promisify(execFile)('npm', words.split(' '), {cwd, env: environment})).stdout;
    }

    test('the first two commands make an app and install it, the sidecar included', async () => {
      expect(await npm('create @taskflow/app my-app', folder)).toContain('cd my-app && npm install');
      await npm('install', app);

      expect(existsSync(join(app, 'node_modules', platformPackage(), 'taskflow-sidecar'))).toBe(true);
      const names = readdirSync(join(app, 'node_modules', '@taskflow'));
      expect(names.sort()).toEqual(['electron-bridge', platformPackage().replace('@taskflow/', '')]);
      expect(readFileSync(join(app, 'package.json'), 'utf8')).not.toMatch(/APP_NAME|BRIDGE_VERSION/);
    });

    test('the third one opens a window with work in it, and closing that ends everything', async () => {
      const switches = ['--no-sandbox', '--disable-gpu', '--lang=en', '--remote-debugging-port=0'];
      const started = spawn('npm', ['start', '--', ...switches, `--user-data-dir=${join(home, 'data')}`], {
        cwd: app,
        env: environment,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      onTestFinished(() => void started.kill('SIGTERM'));
      const window = await DebuggedPage.of(await debuggingAddress(started));
      await window.shows('Where should your work live?');
      await window.click('Start working');
      const task = JSON.stringify({title: 'First of all', status: 'To Do', priority: 'Low'});
      await window.run(
        `window.taskflow.request({method: 'POST', path: '/api/v1/tasks', body: ${JSON.stringify(task)}}).then(({ok}) => ok)`,
      );
      await window.shows('First of all');
      const family = descendants(started.pid ?? 0).map(({pid}) => pid);
      expect(descendants(started.pid ?? 0).some(({command}) => command.includes(app) && /--stdio/.test(command))).toBe(
        true,
      );
      expect(existsSync(join(home, 'data', 'taskflow', 'fernet.key'))).toBe(true);

      await window.run('window.close()').catch(() => undefined);

      const [status] = (await once(started, 'exit')) as [number | null];
      expect(status).toBe(0);
      await until(() => !family.some(isAlive), 10_000, 'every process to end');
    });

    test("the app's own test passes", async () => {
      expect(await npm('test', app)).toMatch(/^# pass 1$/m);
    });
  },
);

/** Where Chromium can be spoken to, as it says itself. */
function debuggingAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => reject(new Error(`ended: ${said}`)));
  });
}
