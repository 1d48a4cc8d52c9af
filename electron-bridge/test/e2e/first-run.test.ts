import {mkdtempSync, mkdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {_electron, type ElectronApplication, type Page} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {EXAMPLE_MAIN, buildExample} from '../../scripts/example.mjs';
import {electronPart, pythonPart, sidecarPart, startDisplay, type Display} from '../support/parts.js';
import {Postgres} from '../support/postgres.js';
import {descendants, isAlive} from '../support/processes.js';
import {until} from '../support/until.js';

const SCREENSHOTS = join(dirname(dirname(fileURLToPath(import.meta.url))), '.output', 'screenshots');

const python = pythonPart();
const command = sidecarPart();
const executable = electronPart();
const isComplete = python.value !== null && command.value !== null && executable.value !== null;

describe.skipIf(!isComplete)('the first run of the example, in a real Electron', () => {
  const home = mkdtempSync(join(tmpdir(), 'taskflow-example-'));
  let display: Display | null = null;
  let postgres: Postgres;
  let app: ElectronApplication;
  let page: Page;

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, {recursive: true});
    await buildExample();
    display = await startDisplay();
    postgres = await Postgres.start(python.value ?? '');
    await postgres.execute('CREATE DATABASE team');
  });

  afterAll(async () => {
    await postgres.stop();
    display?.close();
    rmSync(home, {recursive: true, force: true});
  });

  async function open(): Promise<void> {
    app = await _electron.launch({
      executablePath: executable.value ?? '',
      args: [EXAMPLE_MAIN, `--user-data-dir=${home}`, '--no-sandbox', '--disable-gpu'],
      env: {
        ...(process.env as Record<string, string>),
        ...display?.variables,
        EXAMPLE_SIDECAR_COMMAND: JSON.stringify(command.value),
      },
    });
    page = await app.firstWindow();
  }

  /** Close the window as a person does; nothing may be left. */
  async function close(): Promise<void> {
    const pid = app.process().pid ?? 0;
    const family = descendants(pid).map((entry) => entry.pid);
    expect(family.length).toBeGreaterThan(0);
    await page.close();
    await until(() => ![pid, ...family].some(isAlive), 10_000, 'every process to end');
    await until(async () => (await postgres.sessions()) === 0, 5_000, 'every PostgreSQL session to end');
  }

  const shot = (name: string): Promise<Buffer> => page.screenshot({path: join(SCREENSHOTS, `${name}.png`), fullPage: true});
  const reaches = (text: string, timeout = 20_000): Promise<void> =>
    page.locator('#state', {hasText: text}).waitFor({timeout});

  test('opens without any settings and works on the database of this computer', async () => {
    await open();

    await reaches('Ready');

    expect(await page.locator('#stages li[data-state="done"]').count()).toBe(6);
    expect(await page.locator('#saved').textContent()).toContain('No team database is saved');
    expect(await page.locator('#custody').textContent()).toContain('file that only this account can read');
    await shot('1-opened');
  });

  test('a wrong password shows its sentence within three seconds', async () => {
    await page.getByLabel('Connection string (DSN)').fill(postgres.dsn('wrong', 'team'));
    const startedAt = performance.now();
    await page.getByRole('button', {name: 'Test'}).click();

    await page.locator('#outcome[data-kind="bad"]').waitFor({timeout: 10_000});

    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(await page.locator('#outcome').textContent()).toMatch(/^Connection failed: .*password/);
    await shot('2-wrong-password');
  });

  test('the right one is tested and saved, and the sidecar is ready without a restart', async () => {
    await page.getByLabel('Connection string (DSN)').fill(postgres.dsn(undefined, 'team'));
    await page.getByRole('button', {name: 'Test'}).click();
    await page.locator('#outcome[data-kind="busy"], #outcome[data-kind="good"]').waitFor();
    await page.locator('#outcome[data-kind="good"]').waitFor({timeout: 10_000});
    await shot('3-tested');

    await page.getByRole('button', {name: 'Save'}).click();
    await page.locator('#database', {hasText: 'Connected to team'}).waitFor({timeout: 20_000});

    await reaches('Ready');
    expect(await page.getByLabel('Connection string (DSN)').inputValue()).toBe('');
    await shot('4-saved');
  });

  test('a member created in the window is in PostgreSQL', async () => {
    await page.getByLabel('Name', {exact: true}).fill('Grace Hopper');
    await page.getByLabel('Email').fill('grace@example.org');
    await page.getByRole('button', {name: 'Add member'}).click();

    await page.getByRole('cell', {name: 'grace@example.org'}).waitFor();

    expect(await postgres.query('SELECT name, email FROM members', 'team')).toEqual([['Grace Hopper', 'grace@example.org']]);
    await shot('5-member');
  });

  test('a member that is refused shows why', async () => {
    await page.getByLabel('Name', {exact: true}).fill('Grace again');
    await page.getByLabel('Email').fill('GRACE@example.org');
    await page.getByRole('button', {name: 'Add member'}).click();

    await page.locator('#member-outcome', {hasText: 'Member with this email already exists'}).waitFor();
    await shot('6-refused');
  });

  test('the page has no way to the token, to Electron or to another page', async () => {
    const found = await page.evaluate(() => {
      const globals = globalThis as unknown as Record<string, unknown>;
      return {
        require: typeof globals['require'],
        process: typeof globals['process'],
        api: Object.keys(globals['taskflow'] as object).sort(),
      };
    });
    expect(found).toEqual({
      require: 'undefined',
      process: 'undefined',
      api: ['deleteConnection', 'readConnection', 'request', 'retry', 'saveConnection', 'startAgain', 'testConnection', 'watch'],
    });
    const before = page.url();
    await page.evaluate(() => {
      window.open('https://example.org/');
      window.location.href = 'https://example.org/';
    });
    expect(app.windows()).toHaveLength(1);
    expect(page.url()).toBe(before);
    const blocked = await page.evaluate(async () => fetch('http://127.0.0.1:1/').then(() => false, () => true));
    expect(blocked).toBe(true);
  });

  test('closing the window leaves no process and no PostgreSQL session', async () => {
    await close();
  });

  test('after a restart it is ready by itself and the member is still there', async () => {
    await open();

    await reaches('Ready');
    await page.getByRole('cell', {name: 'grace@example.org'}).waitFor();
    expect(await page.locator('#saved').textContent()).toContain('Saved: database team');
    await shot('7-restarted');

    await close();
  });
});
