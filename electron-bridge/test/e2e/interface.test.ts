import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {rootCertificates} from 'node:tls';
import {fileURLToPath} from 'node:url';
import type {Page} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {buildExample} from '../../scripts/example.mjs';
import {App, isComplete, python} from '../support/app.js';
import {requireBuild, startDisplay, type Display} from '../support/parts.js';
import {Postgres} from '../support/postgres.js';
import {Providers} from '../support/providers.js';
import {quickest} from '../support/until.js';

const MAIN = join(dirname(fileURLToPath(import.meta.url)), '..', 'support', 'ui-app.cjs');

describe.skipIf(!isComplete)('the interface, in a real Electron', () => {
  const home = mkdtempSync(join(tmpdir(), 'taskflow-interface-'));
  let display: Display | null = null;
  let postgres: Postgres;
  let providers: Providers;
  let app: App;
  let page: Page;

  beforeAll(async () => {
    requireBuild();
    await buildExample();
    [display, postgres, providers] = await Promise.all([
      startDisplay(),
      Postgres.start(python.value ?? ''),
      Providers.start(python.value ?? ''),
    ]);
    await postgres.execute('CREATE DATABASE team');
    await open();
  });

  afterAll(async () => {
    await app.close();
    await providers.stop();
    await postgres.stop();
    display?.close();
    rmSync(home, {recursive: true, force: true});
  });

  async function open(): Promise<void> {
    const variables = {...display?.variables, UI_SIDECAR_ENV: JSON.stringify(providers.environment)};
    app = await App.open(home, variables, ['--lang=en'], MAIN);
    ({page} = app);
  }

  test('a first run asks where the work is to live, and work on this computer begins', async () => {
    await page.getByRole('heading', {name: 'Where should your work live?'}).waitFor();
    await page.getByRole('button', {name: 'Start working'}).click();
    await page.evaluate(async () => {
      const body = JSON.stringify({title: 'Taken along', status: 'To Do', priority: 'Low'});
      await window.taskflow.request({method: 'POST', path: '/api/v1/tasks', body});
    });
    await page.getByText('Taken along').waitFor();
  });

  test('a wrong password is told within three seconds, the right one connects without a restart', async () => {
    await page.getByRole('link', {name: 'Connection'}).click();
    await page.getByText('In the team’s database').click();
    const dsn = page.getByLabel('Connection string');
    await dsn.fill('postgresql://db.example.org/team?sslmode=verify-ca');
    await dsn.press('Enter');
    const bundle = join(home, 'roots of the team.pem');
    writeFileSync(bundle, rootCertificates.join('\n'));
    await page.getByRole('button', {name: 'Choose a file'}).waitFor();
    await page.locator('input[type="file"]').setInputFiles(bundle);
    await page.getByText(/^This certificate serves.*valid until/).waitFor();
    expect(await page.getByLabel('Certificate of the authority').inputValue()).toBe(bundle);

    const took = await quickest(3_000, async () => {
      await dsn.fill(postgres.dsn('wrong', 'team'));
      await dsn.press('Enter');
      await page.getByRole('button', {name: 'Save'}).click();
      await page.getByText(/rejected the user name or the password/).waitFor();
    });
    expect(took).toBeLessThan(3_000);

    await dsn.fill(postgres.dsn(undefined, 'team'));
    await dsn.press('Enter');
    await page.getByRole('button', {name: 'Save'}).click();
    await page.getByText(/^Connected to team: PostgreSQL/).waitFor();
    await page.getByText(/^Copied: 1 task/).waitFor();
    expect(await postgres.query('SELECT title FROM tasks', 'team')).toEqual([['Taken along']]);
  });

  test('members, tasks, sub-tasks and a blocked one: a day’s work by keyboard alone', async () => {
    const press = async (...keys: readonly string[]): Promise<void> => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await page.getByRole('main').focus();
    await press('g', 'm', 'n');
    await page.getByRole('dialog').getByLabel('Name').fill('Ada Lovelace');
    await press('Tab');
    await page.keyboard.type('ada@example.com');
    await press('Control+Enter');
    await page.getByText('ada@example.com').waitFor();
    await press('g', 't', 'n');
    await page.getByRole('dialog').getByLabel('Title').fill('Draw the plan');
    await press('Control+Enter');
    const row = page.getByRole('link', {name: /Draw the plan/});
    await row.focus();
    await press('s');
    await page.getByRole('radio', {name: 'Blocked'}).focus();
    await press('Space');
    await page.getByLabel('What blocks it').fill('The paper is out.');
    await press('Control+Enter');
    await page.getByText('The paper is out.').waitFor();
    await row.focus();
    await press('Enter');
    await page.getByPlaceholder('Add a sub-task').focus();
    await page.keyboard.type('Measure');
    await press('Enter');
    await page.getByRole('checkbox', {name: 'Measure'}).waitFor();

    const rows = await postgres.query(
      'SELECT t.title, t.status, t.blocking_reason, s.title FROM sub_tasks s JOIN tasks t ON t.id = s.task_id',
      'team',
    );
    expect(rows).toEqual([['Draw the plan', 'Blocked', 'The paper is out.', 'Measure']]);
  });

  test('a bad key is refused, one that cannot be checked is asked about, a good one is saved and masked', async () => {
    await page.getByRole('link', {name: 'Keys'}).click();
    await page.getByRole('button', {name: 'Set a key OpenAI'}).click();
    const dialog = page.getByRole('dialog');
    const save = dialog.getByRole('button', {name: 'Save', exact: true});
    await dialog.getByLabel('Key').fill(providers.keys.bad);
    await save.click();
    await dialog.locator('.outcome[data-kind="bad"]').waitFor();
    await dialog.getByLabel('Key').fill(providers.keys.unreachable);
    await save.click();
    await dialog.getByRole('button', {name: 'Save without a check'}).waitFor();
    await dialog.getByLabel('Key').fill(providers.keys.good);
    await save.click();
    await dialog.waitFor({state: 'detached'});
    await page.getByText(`…${providers.keys.good.slice(-4)}`).waitFor();
  });

  test('neither password nor key nor token is in the page', async () => {
    const found = await page.evaluate(() =>
      [
        document.documentElement.outerHTML,
        JSON.stringify(Object.entries(sessionStorage)),
        JSON.stringify(Object.entries(localStorage)),
        [...document.querySelectorAll('input')].map(({value}) => value).join(),
      ].join(),
    );
    const secrets = [postgres.fields.password, ...Object.values(providers.keys)];
    expect(secrets.filter((secret) => found.includes(secret))).toEqual([]);
    expect(found).not.toContain('taskflow.token');
  });

  test('after a restart everything is still there', async () => {
    await app.close();
    await open();
    await page.getByText('Taken along').waitFor();
    await page.getByText('team · 127.0.0.1').waitFor();
    await page.getByRole('link', {name: 'Keys'}).click();
    await page.getByText(`…${providers.keys.good.slice(-4)}`).waitFor();
  });
});
