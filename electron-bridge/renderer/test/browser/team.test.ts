import type {Browser} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {pythonPart} from '../../../test/support/parts.js';
import {Postgres} from '../../../test/support/postgres.js';
import {quickest} from '../../../test/support/until.js';
import {Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

const python = pythonPart();
const SEEN_MS = 1_000;
const isMissing = executable.value === null || command.value === null || python.value === null;

describe.skipIf(isMissing)('two desktops on one database', () => {
  let browser: Browser;
  let postgres: Postgres;
  let mine: Served;
  let theirs: Served;
  let window: Window;
  let other: Window;

  const add = async (title: string): Promise<string> => {
    const {body} = await theirs.ask('POST', '/tasks', {title, status: 'To Do', priority: 'Low'});
    return (body as {id: string}).id;
  };

  beforeAll(async () => {
    [browser, postgres] = await Promise.all([startBrowser(), Postgres.start(python.value ?? '')]);
    const variables = {TASKFLOW_DATABASE_URL: postgres.dsn()};
    mine = await Served.start(variables);
    await mine.ready();
    theirs = await Served.start(variables);
    await theirs.ready();
    await theirs.ask('POST', '/members', {name: 'Ada Lovelace', email: 'ada@example.com'});
    [window, other] = await Promise.all([Window.open(browser, mine.address()), Window.open(browser, theirs.address())]);
  });

  afterAll(async () => {
    await browser.close();
    await Promise.all([mine.stop(), theirs.stop()]);
    await postgres.stop();
  });

  test('see each other’s changes', async () => {
    await Promise.all([window, other].map(({page}) => page.getByText('No tasks yet').waitFor()));
    let count = 0;
    const took = await quickest(SEEN_MS, async () => {
      count += 1;
      await add(`Change ${count}`);
      await window.page.getByRole('link', {name: new RegExp(`Change ${count}`)}).waitFor();
    });
    console.info(`a change was seen after ${Math.round(took)} ms`);

    await window.page.getByText(count === 1 ? '1 task' : `${count} tasks`, {exact: true}).waitFor();
    expect(took).toBeLessThan(SEEN_MS);
  });

  test('that change different things of one task keep both changes', async () => {
    const id = await add('Write the report');
    await window.go(`/tasks/${id}`);
    await window.page.getByRole('button', {name: 'Edit'}).click();
    await window.page.getByLabel('Title').fill('Write the yearly report');
    await theirs.ask('PATCH', `/tasks/${id}`, {priority: 'High'});
    await window.page.keyboard.press('Control+Enter');
    await window.page.getByText('Both changes are kept.').waitFor();

    expect((await mine.ask('GET', `/tasks/${id}`)).body).toMatchObject({
      title: 'Write the yearly report',
      priority: 'High',
    });
  });

  test('that change the same thing choose between both versions', async () => {
    const id = await add('Paint the door');
    await window.go(`/tasks/${id}`);
    await window.page.getByRole('heading', {name: 'Paint the door'}).waitFor();
    await window.page.getByRole('button', {name: 'Edit'}).click();
    await window.page.getByLabel('Title').fill('Paint the door red');
    await theirs.ask('PATCH', `/tasks/${id}`, {title: 'Paint the door blue'});
    await window.page.keyboard.press('Control+Enter');
    await window.page.getByRole('alertdialog').waitFor();
    await window.look('conflict');
    await window.page.keyboard.press('Escape');
    await window.page.getByRole('alertdialog').waitFor({state: 'detached'});
    expect(await window.page.getByLabel('Title').inputValue()).toBe('Paint the door red');
    await window.page.keyboard.press('Control+Enter');
    await window.page.getByRole('alertdialog').waitFor();

    expect((await mine.ask('GET', `/tasks/${id}`)).body).toMatchObject({title: 'Paint the door blue'});
    await window.page.getByRole('radio', {name: /Paint the door red/}).check({force: true});
    await window.page.getByRole('button', {name: 'Save my choice'}).click();
    await window.page.getByRole('heading', {name: 'Paint the door red'}).waitFor();
    expect((await mine.ask('GET', `/tasks/${id}`)).body).toMatchObject({title: 'Paint the door red'});
  });

  test('lose the database while somebody types: nothing on screen goes, nothing is lost, nothing doubled', async () => {
    const {page} = window;
    await window.go('/tasks');
    await page.getByRole('link', {name: /Paint the door red/}).waitFor();
    await page.keyboard.press('n');
    await page.getByLabel('Title').fill('Typed while it was away');
    await postgres.kill();
    await page.getByText(/What you see is from/).waitFor();
    await page.keyboard.press('Control+Enter');
    await page.getByText(/Not sent yet/).waitFor();
    await window.look('away-typing');
    await page.keyboard.press('Escape');

    expect(await page.getByRole('link', {name: /Paint the door red/}).count()).toBe(1);
    expect(await page.locator('[data-stale]').count()).toBe(1);
    await window.look('away-list');
    await window.go('/members');
    await page.getByRole('heading', {name: /Members/}).waitFor();
    expect(await page.getByText('No members yet').count()).toBe(0);
    await other.go('/standup');
    await other.page.getByText('Waiting for the database').waitFor();
    await other.look('away-standup');

    await postgres.startAgain();
    await page.getByText(/What you see is from/).waitFor({state: 'detached', timeout: 30_000});
    await window.go('/tasks');
    await page.getByRole('link', {name: /Typed while it was away/}).waitFor();
    const {body} = await mine.ask('GET', '/tasks?search=Typed%20while');
    expect(body).toHaveLength(1);
  });

  test('complained about nothing', () => {
    window.isSilent();
    other.isSilent();
  });
});
