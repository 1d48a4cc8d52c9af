import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {platformPackage} from '../../src/locate.js';
import {DebuggedPage, debuggingAddress} from '../support/debugged.js';
import {descendants, isAlive} from '../support/processes.js';
import {Published, isIncomplete} from '../support/published.js';
import {until} from '../support/until.js';

describe.skipIf(isIncomplete)('from an empty folder, with what is published alone', () => {
  let published: Published;
  let app: string;
  let home: string;
  const npm = (words: string, cwd: string): Promise<string> => published.npm(words, cwd);

  beforeAll(async () => {
    published = await Published.start();
    app = join(published.folder, 'my-app');
    ({home} = published);
  }, 300_000);

  afterAll(() => published.close());

  test('the first two commands make an app and install it, the sidecar included', async () => {
    expect(await npm('create @taskflow/app my-app', published.folder)).toContain('cd my-app && npm install');
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
      env: published.environment,
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
});
