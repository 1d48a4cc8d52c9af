import type {Browser, Page} from 'playwright-core';
import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {pythonPart} from '../../../test/support/parts.js';
import {Postgres} from '../../../test/support/postgres.js';
import {until} from '../../../test/support/until.js';
import {Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

const python = pythonPart();
const isMissing = executable.value === null || command.value === null || python.value === null;
/** Much of it is load: pauses between tries grow to five seconds. */
const HEALING_MS = 90_000;

/** In the page: note every text that would tell a person that the team has nothing. */
function watchForEmptiness(): void {
  const seen = new Set<string>();
  const EMPTY = /No tasks yet|No task fits|No members yet|Waiting for the database|\b0 tasks/;
  const look = (): void => {
    const found = EMPTY.exec(document.body.innerText)?.[0];
    if (found !== undefined) seen.add(found);
    if (document.querySelector('.task-row') === null) seen.add('no row');
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
  Object.assign(globalThis, {seenEmpty: () => [...seen]});
}

describe.skipIf(isMissing)('while somebody types', {timeout: 180_000}, () => {
  let browser: Browser;
  let postgres: Postgres;
  let served: Served;
  let window: Window;
  let page: Page;

  beforeAll(async () => {
    [browser, served, postgres] = await Promise.all([
      startBrowser(),
      Served.start({TASKFLOW_EMBEDDED: '0'}),
      Postgres.start(python.value ?? ''),
    ]);
    await postgres.execute("CREATE ROLE team LOGIN PASSWORD 'team-canary'");
    await postgres.execute('CREATE DATABASE team OWNER team');
    await postgres.execute('REVOKE CONNECT ON DATABASE team FROM PUBLIC');
    const standby = await postgres.startStandby();
    const settings = {
      host: `${postgres.fields.host},${standby.host}`,
      port: `${postgres.fields.port},${standby.port}`,
      database: 'team',
      username: 'team',
      password: 'team-canary',
      target_session_attrs: 'read-write',
    };
    expect((await served.ask('POST', '/settings/save-connection?test=true', settings)).body).toEqual({status: 'saved'});
    await served.ready();
    await served.ask('POST', '/members', {name: 'Ada', email: 'ada@example.org'});
    for (const title of ['First', 'Second'])
      await served.ask('POST', '/tasks', {title, status: 'To Do', priority: 'Low'});
    window = await Window.open(browser, served.address());
    ({page} = window);
    await page.getByRole('link', {name: /Second/}).waitFor();
    await page.evaluate(watchForEmptiness);
  });

  afterEach(async () => {
    const seen = await page.evaluate(() => (globalThis as unknown as {seenEmpty: () => string[]}).seenEmpty());
    expect(seen).toEqual([]);
    for (const title of ['First', 'Second']) expect(await page.getByRole('link', {name: title}).count()).toBe(1);
  });

  afterAll(async () => {
    await browser.close();
    await served.stop();
    await postgres.stop();
  });

  /** Type half of a title, let something happen, and type the other half. */
  async function typeAround(title: string, happen: () => Promise<unknown>): Promise<void> {
    const half = Math.ceil(title.length / 2);
    await page.keyboard.press('n');
    await page.getByRole('dialog').getByLabel('Title').waitFor();
    await page.keyboard.type(title.slice(0, half));
    await happen();
    await page.keyboard.type(title.slice(half));
    expect(await page.getByRole('dialog').getByLabel('Title').inputValue()).toBe(title);
  }

  /** What was typed is there, once, on the page and in the database. */
  async function isSavedOnce(title: string): Promise<void> {
    await page.getByRole('dialog').waitFor({state: 'detached', timeout: HEALING_MS});
    await page.getByRole('link', {name: new RegExp(title)}).waitFor();
    expect(await postgres.query(`SELECT count(*) FROM tasks WHERE title = '${title}'`, 'team')).toEqual([[1]]);
  }

  /** By its class: a dialog hides from the accessibility tree what is behind it, and says itself what is wrong. */
  const strip = (): ReturnType<Page['locator']> => page.locator('.strip');
  const isTold = (): Promise<void> =>
    page
      .getByRole('dialog')
      .getByText(/What you type is kept/)
      .waitFor();

  test('every session is ended, again and again', async () => {
    await typeAround('Through ended sessions', async () => {
      expect(await postgres.terminate()).toBeGreaterThan(0);
    });
    await postgres.terminate();
    await page.keyboard.press('Control+Enter');
    await postgres.terminate();
    await isSavedOnce('Through ended sessions');
    await strip().waitFor({state: 'detached', timeout: HEALING_MS});
  });

  test('the right to write is revoked: the text stays, and is saved when the right is back', async () => {
    await postgres.execute('REVOKE INSERT ON tasks FROM team', 'team');
    await typeAround('Through a right to write', () => Promise.resolve());
    await page.keyboard.press('Control+Enter');
    const notice = page.getByRole('dialog').getByRole('alert');
    await notice.getByText(/^Not sent yet, trying again\. The database user /).waitFor();
    await window.keep('faults-no-write');
    await page.keyboard.press('Escape');
    await page.getByRole('button', {name: 'Continue new task'}).click();
    expect(await page.getByRole('dialog').getByLabel('Title').inputValue()).toBe('Through a right to write');
    // From here on it may be sent at any moment: it has been tried again and again.
    await postgres.execute('GRANT INSERT ON tasks TO team', 'team');
    await page.keyboard.press('Control+Enter');
    await isSavedOnce('Through a right to write');
  });

  test('the right to connect is revoked: told with who can give it back, and it goes on by itself', async () => {
    await typeAround('Through a right to connect', async () => {
      await postgres.execute('REVOKE CONNECT ON DATABASE team FROM team');
      await postgres.terminate();
      await strip().waitFor();
      await isTold();
    });
    await strip().getByText('Your database administrator can fix this.').waitFor();
    await page.keyboard.press('Control+Enter');
    await page.getByText('Not sent yet').waitFor();
    await window.keep('faults-no-connect');
    await postgres.execute('GRANT CONNECT ON DATABASE team TO team');
    await served.ask('POST', '/settings/retry');
    await isSavedOnce('Through a right to connect');
    await strip().waitFor({state: 'detached', timeout: HEALING_MS});
  });

  test('the primary dies and the standby takes over', async () => {
    await typeAround('Through a failover', async () => {
      await postgres.kill();
      await strip().waitFor();
      await isTold();
    });
    await page.keyboard.press('Control+Enter');
    await page.getByText('Not sent yet').waitFor();
    await window.keep('faults-failover');
    await postgres.promote();
    await isSavedOnce('Through a failover');
    await strip().waitFor({state: 'detached', timeout: HEALING_MS});
    await until(async () => (await postgres.query('SELECT count(*) FROM tasks', 'team'))[0]?.[0] === 6, 5_000, 'six');
    window.isSilent();
  });
});
