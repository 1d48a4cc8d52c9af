import {mkdtempSync, rmSync} from 'node:fs';
import {createServer, type AddressInfo, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {App, isComplete, python} from '../support/app.js';
import {requireBuild, startDisplay, type Display} from '../support/parts.js';
import {Postgres} from '../support/postgres.js';
import {descendants, isAlive} from '../support/processes.js';
import {until} from '../support/until.js';

/** The advisory lock of the sidecar's migrations: "taskflow" as a number. */
const MIGRATION_LOCK = BigInt(`0x${Buffer.from('taskflow').toString('hex')}`);

describe.skipIf(!isComplete || process.platform === 'win32')(
  'when the main process of a real Electron is killed',
  () => {
    let display: Display | null = null;
    let postgres: Postgres;

    beforeAll(async () => {
      requireBuild();
      display = await startDisplay();
      postgres = await Postgres.start(python.value ?? '');
    });

    afterAll(async () => {
      await postgres.stop();
      display?.close();
    });

    /** Open the app in a new home, on a database that the environment names. */
    async function open(dsn: string): Promise<App> {
      const home = mkdtempSync(join(tmpdir(), 'taskflow-orphan-'));
      onTestFinished(() => rmSync(home, {recursive: true, force: true}));
      return App.open({home, variables: {...display?.variables, TASKFLOW_DATABASE_URL: dsn}});
    }

    /** A new database, in which a session holds what `sql` locked. */
    async function databaseHolding(name: string, sql: string): Promise<string> {
      await postgres.execute(`CREATE DATABASE ${name}`);
      await postgres.hold(sql, name);
      onTestFinished(() => postgres.release());
      return postgres.dsn(undefined, name);
    }

    /** Kill Electron's main process alone; the sidecar, its port and its sessions must go by themselves. */
    async function killAndWatch(app: App): Promise<void> {
      const sidecar = app.sidecar()?.pid ?? 0;
      expect(isAlive(sidecar)).toBe(true);
      const port = await portOf(app);
      const family = descendants(app.pid).map(({pid}) => pid);
      const killedAt = performance.now();
      process.kill(app.pid, 'SIGKILL');

      await until(() => !isAlive(sidecar), 10_000, 'the end of the sidecar', 5);

      expect(performance.now() - killedAt).toBeLessThan(2_000);
      if (port !== null) expect(await isFree(port)).toBe(true);
      const remainingMs = 5_000 - (performance.now() - killedAt);
      await until(async () => (await postgres.sessions()) === 0, remainingMs, 'the end of every PostgreSQL session');
      // Chromium's own processes; they still write into the home.
      await until(() => !family.some(isAlive), 20_000, 'the end of every process');
    }

    test.each([0, 80, 160, 240, 320])('%i ms after its launch, the sidecar goes', async (delayMs) => {
      const app = await open(await databaseHolding(`early_${delayMs}`, 'SELECT 1'));
      await until(() => app.sidecar(), 10_000, 'the sidecar', 1);
      await new Promise((resolve) => setTimeout(resolve, delayMs));

      await killAndWatch(app);
    });

    test('while it connects to a server that never answers, the sidecar goes', async () => {
      const sockets: Socket[] = [];
      const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        sockets.forEach((socket) => socket.destroy());
        silent.close();
      });
      const app = await open(`postgresql://u:p@127.0.0.1:${(silent.address() as AddressInfo).port}/d`);
      await app.stage('connect');

      await killAndWatch(app);
    });

    test("while it waits for another desktop's migration, the sidecar goes", async () => {
      const app = await open(await databaseHolding('waiting', `SELECT pg_advisory_lock(${MIGRATION_LOCK})`));
      await app.stage('migrate');
      await app.shot('12-waiting-for-migration');

      await killAndWatch(app);
    });

    test('while it migrates, the sidecar goes and leaves nothing half done', async () => {
      const app = await open(await databaseHolding('migrating', 'BEGIN; CREATE TABLE members (id int)'));
      await app.stage('migrate');

      await killAndWatch(app);

      await postgres.release();
      expect(await postgres.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", 'migrating')).toEqual([
        [0],
      ]);
    });

    test('when it is ready, the sidecar goes', async () => {
      const app = await open(await databaseHolding('ready', 'SELECT 1'));
      await app.reaches('ready');

      await killAndWatch(app);
    });

    test('in the middle of a request, the sidecar goes', async () => {
      const dsn = await databaseHolding('busy', 'SELECT 1');
      const app = await open(dsn);
      await app.reaches('ready');
      await postgres.hold('BEGIN; LOCK TABLE members IN ACCESS EXCLUSIVE MODE', 'busy');
      await app.page.evaluate(() => void window.taskflow.request({method: 'GET', path: '/api/v1/members'}));
      const isWaiting = async (): Promise<boolean> =>
        (await postgres.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'busy'"))
          .length > 0;
      await until(isWaiting, 10_000, 'the request to wait in the database');

      await killAndWatch(app);
    });
  },
);

/** The port of the sidecar, as far as the page knows it. */
function portOf({page}: App): Promise<number | null> {
  return page.evaluate(
    () =>
      new Promise<number | null>((resolve) => {
        window.taskflow.watch(({state}) => {
          resolve('baseUrl' in state && state.baseUrl !== null ? Number(new URL(state.baseUrl).port) : null);
        });
      }),
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
