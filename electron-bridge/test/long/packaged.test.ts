/** The template's app, packaged by electron-builder as the template says, and started. */
import {execFile} from 'node:child_process';
import {cpSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {Packaged} from '../support/packaged.js';
import {Published, electronFolder, isIncomplete} from '../support/published.js';

const ROUNDS = 7;
const MEMBERS = ['Ada Lovelace', 'Grace Hopper', 'Katherine Johnson'];
/**
 * Beside the same window without any sidecar, from the command to members on screen. Measured is 3.0 (1.35 s and 0.42 s), and
 * aimed at is 1.6.
 */
const AT_MOST = 4;

/** Stands in for the sidecar: answers at once what the real one answered before. */
const standIn = (recorded: unknown): string => `
  import {contextBridge} from 'electron';
  const {snapshot, answers} = ${JSON.stringify(recorded)};
  const ok = (value) => Promise.resolve({ok: true, value});
  const none = {status: 404, headers: {}, body: '{"error": "nothing"}'};
  const off = () => undefined;
  contextBridge.exposeInMainWorld('taskflow', {
    watch: (listener) => { setTimeout(() => listener(snapshot)); return off; },
    onStatus: () => off,
    onChange: () => off,
    request: ({path}) => ok(answers[path.split('?')[0]] ?? none),
    readConnection: () => ok(null),
  });
`;

const WINDOW_ALONE = `
  import {createRequire} from 'node:module';
  import {join} from 'node:path';
  import {SECURE_WEB_PREFERENCES, denyByDefault} from '@taskflow/electron-bridge';
  import {BrowserWindow, app} from 'electron';
  const require = createRequire(import.meta.url);
  if (!app.requestSingleInstanceLock()) app.quit();
  denyByDefault(app);
  void app.whenReady().then(() => {
    const preload = join(import.meta.dirname, 'preload.cjs');
    const window = new BrowserWindow({
      width: 1100, height: 800, autoHideMenuBar: true, webPreferences: {...SECURE_WEB_PREFERENCES, preload},
    });
    app.on('window-all-closed', () => app.quit());
    void window.loadFile(require.resolve('@taskflow/electron-bridge/ui/index.html'), {hash: '/members'});
  });
`;

describe.skipIf(isIncomplete)('packaged by electron-builder', () => {
  let published: Published;
  let app: string;
  let data: string;
  let executable: string;

  beforeAll(async () => {
    published = await Published.start();
    app = join(published.folder, 'my-app');
    data = join(published.home, 'data');
    await published.npm('create @taskflow/app my-app', published.folder);
    await published.npm('install', app);
    // The window opens where the members are.
    const main = join(app, 'src', 'main.ts');
    const opened = "ui/index.html')";
    writeFileSync(main, readFileSync(main, 'utf8').replace(opened, `${opened}, {hash: '/members'}`));
    executable = await packaged(app);
  });

  afterAll(() => published.close());

  /** Package an app; its executable. */
  async function packaged(folder: string): Promise<string> {
    // electron-builder is no dependency of the template's: npm fetches it from where everybody does.
    const words = ['run', 'package', '--', '--linux', 'dir', `-c.electronDist=${electronFolder}`];
    await promisify(execFile)('npm', words, {cwd: folder, timeout: 200_000});
    return join(folder, 'release', 'linux-unpacked', 'my-app');
  }

  const open = (text: string, file: string, home: string): Promise<Packaged> =>
    Packaged.until(text, file, home, published.environment);

  test('the sidecar lies beside the archive, whole, and not inside', () => {
    const resources = join(app, 'release', 'linux-unpacked', 'resources');
    const sidecar = join(resources, 'taskflow-sidecar');
    const archived = filesIn(join(resources, 'app.asar'));

    expect(statSync(join(sidecar, 'taskflow-sidecar')).mode & 0o111).toBe(0o111);
    expect(existsSync(join(sidecar, 'THIRD_PARTY_NOTICES.txt'))).toBe(true);
    expect(archived.get('node_modules/@taskflow')).toEqual(['electron-bridge']);
    expect(archived.get('dist')?.sort()).toEqual(['main.cjs', 'preload.cjs']);
    console.log(
      `sizes in MB: app ${megabytes(join(app, 'release', 'linux-unpacked'))}, of which Electron ${megabytes(electronFolder)}, sidecar ${megabytes(sidecar)}, archive ${megabytes(join(resources, 'app.asar'))}`,
    );
  });

  test('it starts its own sidecar, shows the members, and leaves nothing running', async () => {
    const started = await open('Members', executable, data);
    await started.page.run(
      `new Promise((resolve) => window.taskflow.watch(({state}) => state.kind === 'ready' && resolve()))`,
    );
    for (const name of MEMBERS) {
      const body = JSON.stringify({name, email: `${name.toLowerCase().replace(' ', '.')}@example.org`});
      await started.page.run(
        `window.taskflow.request({method: 'POST', path: '/api/v1/members', body: ${JSON.stringify(body)}})`,
      );
    }
    for (const name of MEMBERS) await started.page.shows(name);

    expect(started.commands.filter((command) => command.includes('--stdio'))).toEqual([
      expect.stringContaining(join('resources', 'taskflow-sidecar', 'taskflow-sidecar')),
    ]);
    expect(await started.close()).toBe(0);
  });

  test('the members are on screen not much later than in the same window without any sidecar', async () => {
    const first = await open(MEMBERS[0] ?? '', executable, data);
    const recorded = await first.page.run(`(async () => {
      const answers = {};
      for (const path of ['/api/v1/members', '/api/v1/tasks', '/api/v1/settings/connection']) {
        const result = await window.taskflow.request({method: 'GET', path});
        if (result.ok) answers[path] = result.value;
      }
      const snapshot = await new Promise((resolve) => window.taskflow.watch(resolve));
      return {answers, snapshot};
    })()`);
    await first.close();
    const alone = join(published.folder, 'alone', 'my-app');
    cpSync(app, alone, {recursive: true, verbatimSymlinks: true});
    writeFileSync(join(alone, 'src', 'main.ts'), WINDOW_ALONE);
    writeFileSync(join(alone, 'src', 'preload.ts'), `// @ts-nocheck\n${standIn(recorded)}`);
    const floor = await packaged(alone);

    const times: {sidecar: number; alone: number}[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const took = {sidecar: await timed(executable, data), alone: await timed(floor, `${data}-alone`)};
      if (round > 0) times.push(took); // the first one warms the disk
    }
    const ratio = median(times.map(({sidecar, alone: without}) => sidecar / without));
    const [with_, without] = [median(times.map((each) => each.sidecar)), median(times.map((each) => each.alone))];
    console.log(
      `command to members on screen: ${with_.toFixed(0)} ms, alone ${without.toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
    );
    expect(ratio).toBeLessThan(AT_MOST);
  });

  async function timed(file: string, home: string): Promise<number> {
    const begun = performance.now();
    const started = await open(MEMBERS[0] ?? '', file, home);
    const took = performance.now() - begun;
    await started.close();
    return took;
  }
});

interface Folder {
  readonly files?: Readonly<Record<string, Folder>>;
}

/** The names in each folder of an archive, whose head is JSON with its length before it. */
function filesIn(archive: string): Map<string, string[]> {
  const bytes = readFileSync(archive);
  const found = new Map<string, string[]>();
  const look = (path: string, {files}: Folder): void => {
    if (files === undefined) return;
    found.set(path, Object.keys(files));
    for (const [name, entry] of Object.entries(files)) look(path === '' ? name : `${path}/${name}`, entry);
  };
  look('', JSON.parse(bytes.subarray(16, 16 + bytes.readUInt32LE(12)).toString()) as Folder);
  return found;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

function megabytes(path: string): string {
  const bytes = (entry: string): number => {
    const found = statSync(entry);
    return found.isDirectory()
      ? readdirSync(entry).reduce((sum, name) => sum + bytes(join(entry, name)), 0)
      : found.size;
  };
  return (bytes(path) / 1_000_000).toFixed(1);
}
