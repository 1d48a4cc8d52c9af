import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Page} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {buildExample} from '../../scripts/example.mjs';
import {App, isComplete, python} from '../support/app.js';
import {requireBuild, startDisplay, type Display} from '../support/parts.js';
import {Postgres} from '../support/postgres.js';
import {until} from '../support/until.js';

describe.skipIf(!isComplete)('the first run of the example, in a real Electron', () => {
  const home = mkdtempSync(join(tmpdir(), 'taskflow-example-'));
  let display: Display | null = null;
  let postgres: Postgres;
  let app: App;
  let page: Page;

  beforeAll(async () => {
    requireBuild();
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
    app = await App.open(home, display?.variables ?? {});
    page = app.page;
  }

  /** Close the window; neither a process nor a session may be left. */
  async function close(): Promise<void> {
    await app.close();
    await until(async () => (await postgres.sessions()) === 0, 5_000, 'every PostgreSQL session to end');
  }

  test('opens without any settings and works on the database of this computer', async () => {
    await open();

    await app.reaches('Ready');

    await page.locator('#stages li[data-state="done"]').nth(5).waitFor();
    expect(await page.locator('#saved').textContent()).toContain('No team database is saved');
    expect(await page.locator('#custody').textContent()).toContain('file that only this account can read');
    await app.shot('1-opened');
  });

  test('a wrong password shows its sentence within three seconds', async () => {
    await page.getByLabel('Connection string (DSN)').fill(postgres.dsn('wrong', 'team'));
    const startedAt = performance.now();
    await page.getByRole('button', {name: 'Test'}).click();

    await page.locator('#outcome[data-kind="bad"]').waitFor({timeout: 10_000});

    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(await page.locator('#outcome').textContent()).toMatch(/^Connection failed: .*password/);
    await app.shot('2-wrong-password');
  });

  test('the right one is tested and saved, and the sidecar is ready without a restart', async () => {
    await page.getByLabel('Connection string (DSN)').fill(postgres.dsn(undefined, 'team'));
    await page.getByRole('button', {name: 'Test'}).click();
    await page.locator('#outcome[data-kind="busy"], #outcome[data-kind="good"]').waitFor();
    await page.locator('#outcome[data-kind="good"]').waitFor({timeout: 10_000});
    await app.shot('3-tested');

    await page.getByRole('button', {name: 'Save'}).click();
    await page.locator('#database', {hasText: 'Connected to team'}).waitFor({timeout: 20_000});

    await app.reaches('Ready');
    expect(await page.getByLabel('Connection string (DSN)').inputValue()).toBe('');
    await app.shot('4-saved');
  });

  test('a member created in the window is in PostgreSQL', async () => {
    await page.getByLabel('Name', {exact: true}).fill('Grace Hopper');
    await page.getByLabel('Email').fill('grace@example.org');
    await page.getByRole('button', {name: 'Add member'}).click();

    await page.getByRole('cell', {name: 'grace@example.org'}).waitFor();

    expect(await postgres.query('SELECT name, email FROM members', 'team')).toEqual([
      ['Grace Hopper', 'grace@example.org'],
    ]);
    await app.shot('5-member');
  });

  test('a page that repeats a call with its Idempotency-Key adds nothing twice, and hears of the one change', async () => {
    const heard = await page.evaluate(async () => {
      const changes: {resource: string; change: string}[] = [];
      const until = async (resource: string): Promise<void> => {
        while (!changes.some((change) => change.resource === resource))
          await new Promise((next) => setTimeout(next, 20));
      };
      const stop = window.taskflow.onChange((change) => changes.push(change));
      await until('*');
      const call = {
        method: 'POST',
        path: '/api/v1/members',
        body: JSON.stringify({name: 'Once', email: 'once@example.org'}),
        headers: {'idempotency-key': 'one-and-the-same'},
      };
      const results = [await window.taskflow.request(call), await window.taskflow.request(call)];
      await until('member');
      stop();
      return {changes, answers: results.map((result) => (result.ok ? result.value : null))};
    });

    expect(heard.answers.map((answer) => answer?.status)).toEqual([201, 201]);
    expect(heard.answers[0]?.body).toBe(heard.answers[1]?.body);
    expect(heard.changes.map(({resource, change}) => [resource, change])).toEqual([
      ['*', 'resync'],
      ['member', 'created'],
    ]);
    expect(
      await postgres.query("DELETE FROM members WHERE email = 'once@example.org' RETURNING 1", 'team'),
    ).toHaveLength(1);
  });

  test('a member that is refused shows why', async () => {
    await page.getByLabel('Name', {exact: true}).fill('Grace again');
    await page.getByLabel('Email').fill('GRACE@example.org');
    await page.getByRole('button', {name: 'Add member'}).click();

    await page.locator('#member-outcome', {hasText: 'Member with this email already exists'}).waitFor();
    await app.shot('6-refused');
  });

  test('a database that goes away and comes back is shown as such', async () => {
    await postgres.kill();
    await app.reaches('Reconnecting');
    const problem = page.getByRole('alert');
    await problem.waitFor();
    expect(await problem.textContent()).toMatch(/connection lost|refused|starting up or shutting down/i);
    await app.shot('7-database-away');

    await postgres.startAgain();
    await app.reaches('Ready');

    expect(await problem.isVisible()).toBe(false);
  });

  test('a sidecar that crashes comes back by itself', async () => {
    process.kill(app.sidecar()?.pid ?? 0, 'SIGKILL');

    await app.reaches('Restarting');
    await app.shot('8-restarting');
    await app.reaches('Ready');

    await page.getByRole('cell', {name: 'grace@example.org'}).waitFor();
  });

  test('saving a connection that cannot work shows the problem and its remedy, and the right one cures it', async () => {
    await page.getByLabel('Connection string (DSN)').fill(postgres.dsn(undefined, 'nothing'));
    await page.getByRole('button', {name: 'Save'}).click();

    await app.reaches('Not connected');
    expect(await page.getByRole('alert').textContent()).toContain('The database does not exist on that server.');
    expect(await page.getByRole('button', {name: 'Add member'}).isDisabled()).toBe(true);
    await app.shot('9-failed');
    await page.emulateMedia({colorScheme: 'dark'});
    await app.shot('9-failed-dark');
    await page.emulateMedia({colorScheme: 'light'});

    await page.getByLabel('Connection string (DSN)').fill(postgres.dsn(undefined, 'team'));
    await page.getByRole('button', {name: 'Save'}).click();
    await app.reaches('Ready');
  });

  test('the window works with the keyboard alone', async () => {
    const field = page.getByLabel('Connection string (DSN)');
    await field.fill('');
    await field.focus();
    await page.keyboard.press('Enter');

    await page.locator('#outcome', {hasText: 'Paste the connection string first.'}).waitFor();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('dsn');
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
      api: [
        'cancel',
        'deleteConnection',
        'onChange',
        'onStatus',
        'pathOf',
        'readConnection',
        'recover',
        'request',
        'retry',
        'saveConnection',
        'startAgain',
        'testConnection',
        'watch',
      ],
    });
    const before = page.url();
    await page.evaluate(() => {
      window.open('https://example.org/');
      window.location.href = 'https://example.org/';
    });
    expect(app.electron.windows()).toHaveLength(1);
    expect(page.url()).toBe(before);
    const blocked = await page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          document.addEventListener('securitypolicyviolation', ({effectiveDirective}) => resolve(effectiveDirective));
          void fetch('http://127.0.0.1:1/').catch(() => undefined);
        }),
    );
    expect(blocked).toBe('connect-src');
  });

  test('closing the window leaves no process and no PostgreSQL session', async () => {
    await close();
  });

  test('after a restart it is ready by itself and the member is still there', async () => {
    await open();

    await app.reaches('Ready');
    await page.getByRole('cell', {name: 'grace@example.org'}).waitFor();
    expect(await page.locator('#saved').textContent()).toContain('Saved: database team');
    await app.shot('10-restarted');

    await close();
  });
});
