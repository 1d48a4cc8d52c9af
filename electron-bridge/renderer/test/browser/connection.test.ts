import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {rootCertificates} from 'node:tls';
import type {Browser} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {pythonPart} from '../../../test/support/parts.js';
import {Postgres} from '../../../test/support/postgres.js';
import {quickest} from '../../../test/support/until.js';
import {Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

const python = pythonPart();

describe.skipIf(executable.value === null || command.value === null)('the connection', () => {
  let browser: Browser;
  let served: Served;
  let postgres: Postgres;
  let window: Window;

  beforeAll(async () => {
    [browser, served, postgres] = await Promise.all([
      startBrowser(),
      Served.start(),
      Postgres.start(python.value ?? ''),
    ]);
    await Promise.all([served.ready(), postgres.execute('CREATE DATABASE team')]);
    window = await Window.open(browser, served.address(), {isFirst: true});
  });

  afterAll(async () => {
    await browser.close();
    await served.stop();
    await postgres.stop();
  });

  test('a first run asks where the work is to live', async () => {
    const {page} = window;
    await page.getByRole('heading', {name: 'Where should your work live?'}).waitFor();
    expect(await page.getByRole('radio', {name: /^On this computer/}).isChecked()).toBe(true);
    await window.look('connection-first');

    await page.getByText('Start working').click();
    await page.getByRole('heading', {name: 'Where should your work live?'}).waitFor({state: 'detached'});
    await page.reload();
    await page.getByRole('main').waitFor();
    expect(page.url()).not.toContain('#/connection');
  });

  test('what is pasted fills the fields, and warns of a server that is not checked', async () => {
    const {page} = window;
    await window.go('/connection');
    await page.getByText('In the team’s database').click();
    await page.getByLabel('Connection string').fill('something else');
    await page.getByLabel('Host').focus();
    await page.getByText(/^This is no connection string/).waitFor();
    await paste(window, 'postgresql://ada:s3cret%20word@db.example.org:6432/team?sslmode=require&pgbouncer=true');

    expect(await page.getByLabel('Host').inputValue()).toBe('db.example.org');
    expect(await page.getByLabel('Port').inputValue()).toBe('6432');
    expect(await page.getByRole('textbox', {name: 'User'}).inputValue()).toBe('ada');
    expect(await page.getByLabel('Password', {exact: true}).inputValue()).toBe('s3cret word');
    expect(await page.getByLabel('Connection string').inputValue()).toBe('');
    await page.getByText('Left out, because it belongs to other programs: pgbouncer.').waitFor();
    await page.getByText('Somebody could pose as the server').waitFor();
    await window.look('connection-pasted');
    await page.getByRole('button', {name: 'Check the server'}).click();
    await page.getByText('Somebody could pose as the server').waitFor({state: 'detached'});
    await window.look('connection-verified');
  });

  test('a file that is named is looked at on the spot', async () => {
    const {page} = window;
    const [bundle, words] = ['roots.pem', 'words.txt'].map((name) => join(served.home, name));
    writeFileSync(bundle ?? '', rootCertificates.join('\n'));
    writeFileSync(words ?? '', 'words');
    await page.getByRole('radio', {name: 'A file'}).check({force: true});
    const path = page.getByLabel('Certificate of the authority');
    const naming = async (file = ''): Promise<void> => {
      await path.fill(file);
      await path.blur();
    };
    await naming('roots.pem');
    await page.getByText('Give the whole path, from the top.').waitFor();
    await naming(`${words}.not`);
    await page.getByText('There is no such file.').waitFor();
    await naming(words);
    await page.getByText('There is no certificate in this file.').waitFor();
    await window.look('connection-file');
    await naming(bundle);
    await page.getByText(/^This certificate serves.*valid until/).waitFor();
    expect(await page.getByRole('button', {name: 'Choose a file'}).count()).toBe(0);
  });

  test('a wrong password shows its sentence within three seconds and saves nothing', async () => {
    const {page} = window;
    const took = await quickest(3_000, async () => {
      await paste(window, postgres.dsn('wrong-canary', 'team'));
      window.asked.length = 0;
      await page.getByRole('button', {name: 'Save'}).click();
      await page.getByText(/rejected the user name or the password.*Nothing was saved/).waitFor();
    });

    expect(took).toBeLessThan(3_000);
    await window.look('connection-refused');
    const calls = window.asked.filter((url) => url.endsWith('test-connection') || url.includes('save-connection'));
    expect(calls).toEqual([`${served.url}/api/v1/settings/save-connection?test=true`]);
    expect((await served.ask('GET', '/settings/connection')).status).toBe(404);
    expect(await page.getByLabel('Password', {exact: true}).inputValue()).toBe('wrong-canary');
  });

  test('a test tells that it works, with which server, and where the time goes', async () => {
    const {page} = window;
    await paste(window, postgres.dsn(undefined, 'team'));
    await page.getByRole('button', {name: 'Test', exact: true}).click();
    const [row] = await postgres.query('SHOW server_version');
    await page.getByText(`The connection works: PostgreSQL ${String(row?.[0])}.`).waitFor();
    const facts = (await page.locator('.outcome[data-kind="good"] .fact').allInnerTexts()).map((text) =>
      text.replace(/\s+/g, ' ').replace(/\d+(\.\d)? ms/, 'N ms'),
    );
    expect(facts).toEqual([
      'Encryption Not encrypted',
      'Reaching the server N ms',
      'Login N ms',
      'First question N ms',
      'Together N ms',
    ]);
    await window.look('connection-tested');
  });

  test('the right one is saved, what was on this computer is taken along, and it is ready without a restart', async () => {
    const {page} = window;
    await served.ask('POST', '/members', {name: 'Ada', email: 'ada@example.org'});
    await served.ask('POST', '/tasks', {title: 'Copied', status: 'To Do', priority: 'Low'});
    await page.getByText('There are 1 task and 1 member on this computer.').waitFor();
    await page.getByText('Copy them to the team’s database').scrollIntoViewIfNeeded();
    await window.look('connection-copy');

    await page.getByRole('button', {name: 'Save'}).click();
    await page.getByText(/^Connected to team: PostgreSQL/).waitFor();
    await page.getByText('Copied: 1 task, 1 member.').waitFor();

    expect(await postgres.query('SELECT title FROM tasks', 'team')).toEqual([['Copied']]);
    await window.look('connection-saved');
  });

  test('the password is nowhere any more', async () => {
    for (const password of [postgres.fields.password, 'wrong-canary', 's3cret word'])
      expect(await window.placesOf(password)).toEqual([]);
  });

  test('after a restart everything is still there', async () => {
    const {page} = window;
    const {port} = new URL(served.url);
    await served.kill();
    await served.startAgain(Number(port));
    await page.goto(served.address());
    await page.reload();
    await window.go('/tasks');
    await page.getByText('Copied').waitFor();
    await window.go('/connection');
    await page.getByRole('heading', {name: 'Saved connection'}).waitFor();
  });

  test('forgetting goes back to this computer, where everything still is', async () => {
    const {page} = window;
    await page.getByRole('button', {name: 'Forget the connection'}).click();
    await window.look('connection-forget');
    await page.getByRole('alertdialog').getByRole('button', {name: 'Forget the connection'}).click();
    await page.getByRole('heading', {name: 'Where should your work live?'}).waitFor();
    await page.getByText('You work on this computer').waitFor();

    await served.ready();
    expect((await served.ask('GET', '/tasks/counts')).body).toMatchObject({total: 1});
  });

  test('all of it once more by keyboard alone', async () => {
    const {page} = window;
    await page.getByRole('main').focus();
    await window.tabTo('radio', /^On this computer/, 'ArrowDown');
    await window.tabTo('textbox', /^Connection string/);
    await page.keyboard.insertText(postgres.dsn(undefined, 'team'));
    await page.keyboard.press('Enter');
    await page.getByText('The fields below were filled in').waitFor();
    await window.tabTo('checkbox', 'Copy them to the team’s database', 'Space');
    await window.tabTo('button', 'Test', 'Enter');
    await page.getByText(/^The connection works/).waitFor();
    await window.tabTo('button', 'Save', 'Enter');
    await page.getByText(/^Connected to team: PostgreSQL/).waitFor();
    await window.tabTo('button', 'Forget the connection', 'Enter');
    await page.getByRole('alertdialog').waitFor();
    await window.tabTo('button', 'Cancel');
    await page.keyboard.press('Tab');
    await window.tabTo('button', 'Forget the connection', 'Enter');
    await page.getByRole('heading', {name: 'Where should your work live?'}).waitFor();
    await served.ready();
  });

  test('nothing was complained about, and nothing asked of anybody else', () => {
    window.isSilent();
  });

  async function paste(into: Window, text: string): Promise<void> {
    await into.page.getByLabel('Connection string').evaluate((field, pasted) => {
      const data = new DataTransfer();
      data.setData('text', pasted);
      field.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
    }, text);
  }
});
