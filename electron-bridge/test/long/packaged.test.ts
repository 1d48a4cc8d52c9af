/** The template's app, packaged by electron-builder as the template says, and started. */
import {execFile} from 'node:child_process';
import {cpSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {filesIn} from '../support/archive.js';
import {Packaged} from '../support/packaged.js';
import {pythonPart} from '../support/parts.js';
import {Postgres} from '../support/postgres.js';
import {Published, electronFolder, isIncomplete} from '../support/published.js';

const python = pythonPart();

const ROUNDS = 9;
const MEMBERS = ['Ada Lovelace', 'Grace Hopper', 'Katherine Johnson'];
/** Beside the same window without any sidecar, from the command to members on screen; aimed at is 1.6. */
const AT_MOST = 2.6;

/** Told by the app on its standard output, with the time of each, in the order in which they come. */
const MILESTONES = ['main', 'launching', 'listening', 'starting', 'loaded', 'ready'] as const;
const TELL = `
  import {performance} from 'node:perf_hooks';
  const tell = (name: string, at = performance.timeOrigin + performance.now()) => console.log(\`@\${at} \${name}\`);
  tell('main');
`;

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
    const logs = "sidecar.on('log', (line) => console.error(line));";
    const tells = `
      sidecar.on('state', ({kind}) => tell(kind));
      sidecar.on('log', (line) => { if (line.includes('"listening"')) tell('listening', Date.parse(JSON.parse(line).time)); });`;
    const text = readFileSync(main, 'utf8');
    for (const part of [opened, logs]) expect(text).toContain(part);
    writeFileSync(
      main,
      TELL +
        text
          .replace(opened, `${opened}, {hash: '/members'}`)
          .replace(logs, tells)
          .replace(
            '  return window;',
            `  window.webContents.once('did-finish-load', () => tell('loaded'));\n  return window;`,
          ),
    );
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

  const open = (text: string, file: string, home: string, more: NodeJS.ProcessEnv = {}): Promise<Packaged> =>
    Packaged.until(text, file, home, {...published.environment, ...more});

  async function addMembers({page}: Packaged): Promise<void> {
    await page.run(`new Promise((resolve) => window.taskflow.watch(({state}) => state.kind === 'ready' && resolve()))`);
    for (const name of MEMBERS) {
      const body = JSON.stringify({name, email: `${name.toLowerCase().replace(' ', '.')}@example.org`});
      await page.run(
        `window.taskflow.request({method: 'POST', path: '/api/v1/members', body: ${JSON.stringify(body)}})`,
      );
    }
  }

  async function fill(app: Packaged): Promise<void> {
    await addMembers(app);
    await app.close();
  }

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
    await addMembers(started);
    for (const name of MEMBERS) await started.page.shows(name);

    expect(started.commands.filter((command) => command.includes('--stdio'))).toEqual([
      expect.stringContaining(join('resources', 'taskflow-sidecar', 'taskflow-sidecar')),
    ]);
    expect(await started.close()).toBe(0);
  });

  test('the members are on screen not much later than in the same window without any sidecar', async () => {
    const sqlite = `${data}-sqlite`;
    await fill(await open('Members', executable, sqlite));
    const first = await open(MEMBERS[0] ?? '', executable, sqlite);
    const recorded = await first.page.run(`(async () => {
      const answers = {};
      for (const path of ['/api/v1/members', '/api/v1/tasks', '/api/v1/tasks/counts', '/api/v1/settings/connection']) {
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

    const postgres = await Postgres.start(python.value ?? '');
    onTestFinished(() => postgres.stop());
    const inPostgres = {TASKFLOW_DATABASE_URL: postgres.dsn()};
    const ways: Record<string, () => Promise<Timeline>> = {
      sqlite: () => timed(executable, sqlite),
      postgresql: () => timed(executable, `${data}-postgresql`, inPostgres),
      alone: () => timed(floor, `${data}-alone`),
    };
    await fill(await open('Members', executable, `${data}-postgresql`, inPostgres));

    const rounds: Record<string, Timeline>[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const took: Record<string, Timeline> = {};
      for (const [name, way] of Object.entries(ways)) took[name] = await way();
      if (round > 0) rounds.push(took); // the first one warms the disk
    }
    const at = (way: string, milestone: string): number =>
      median(rounds.map((took) => took[way]?.get(milestone) ?? NaN));
    for (const way of Object.keys(ways)) {
      const passed = [...MILESTONES, 'members'].filter((name) => !Number.isNaN(at(way, name)));
      console.log(`${way}, ms: ${passed.map((name) => `${name} ${at(way, name).toFixed(0)}`).join(', ')}`);
    }
    const ratio = (way: string): number =>
      median(rounds.map((took) => (took[way]?.get('members') ?? NaN) / (took['alone']?.get('members') ?? NaN)));
    console.log(
      `command to members on screen, beside the window alone: ${ratio('sqlite').toFixed(2)}, with PostgreSQL ${ratio('postgresql').toFixed(2)}`,
    );
    expect(ratio('sqlite')).toBeLessThan(AT_MOST);
  });

  /** When each milestone was passed, in milliseconds after the command. */
  async function timed(file: string, home: string, more: NodeJS.ProcessEnv = {}): Promise<Timeline> {
    const begun = performance.timeOrigin + performance.now();
    const started = await open(MEMBERS[0] ?? '', file, home, more);
    const took = performance.timeOrigin + performance.now() - begun;
    const told = started.said.matchAll(/^@([\d.]+) (\w+)$/gm);
    const passed = new Map([['members', took]]);
    for (const [, time, name = ''] of told) if (!passed.has(name)) passed.set(name, Number(time) - begun);
    await started.close();
    return passed;
  }
});

type Timeline = ReadonlyMap<string, number>;

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
