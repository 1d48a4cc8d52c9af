import type {Browser} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {pythonPart} from '../../../test/support/parts.js';
import {Postgres} from '../../../test/support/postgres.js';
import {SMALL, Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

const python = pythonPart();
/** 160 bits, as a person has them on paper. */
const CODE = 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567';
/** A join code that is well typed, and nobody's. */
const OTHER_CODE = 'KQ7F-9JKT-X2JD-RARD-9';
const NAME = 'anna@desk-3';

describe.skipIf(executable.value === null || command.value === null)('a second desktop', () => {
  let browser: Browser;
  let first: Served;
  let second: Served;
  let postgres: Postgres;
  let window: Window;
  /** Of the first desktop. */
  let approver: Window;
  let code = '';

  beforeAll(async () => {
    [browser, postgres] = await Promise.all([startBrowser(), Postgres.start(python.value ?? '')]);
    const variables = {TASKFLOW_DATABASE_URL: postgres.dsn()};
    first = await Served.start(variables);
    await first.ready();
    await first.ask('PUT', '/settings/ai-keys', {openai: 'sk-proj-of-the-first-desktop-0001'});
    await first.ask('POST', '/vault/recovery', {recovery_code: CODE});
    second = await Served.start(variables);
    await second.ready();
    window = await Window.open(browser, second.address());
    approver = await Window.open(browser, first.address());
  });

  afterAll(async () => {
    await browser.close();
    await first.stop();
    await second.stop();
    await postgres.stop();
  });

  test('finds the vault locked, is told what opens it, and can list what is there', async () => {
    const {page} = window;
    await window.go('/keys');
    await page.getByText('The vault is locked').waitFor();
    await page.getByText('…0001').waitFor();
    await page.getByRole('link', {name: 'Open the vault'}).click();
    await page.getByText(/Its secrets were sealed with another computer’s key/).waitFor();
    await window.look('vault-locked');
  });

  test('asks for the id before a lost key is given up', async () => {
    const {page} = window;
    await page.getByRole('button', {name: 'Give the lost key up'}).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByLabel('Type the vault’s id to confirm').fill('another');
    await dialog.getByRole('button', {name: 'Give the lost key up'}).click();
    await dialog.getByText('This is not the id of the vault.').waitFor();
    await window.look('vault-reset');
    await dialog.getByRole('button', {name: 'Cancel'}).click();
  });

  test('is let in by the recovery code, without a restart, and forgets it', async () => {
    const {page} = window;
    await page.getByRole('textbox', {name: 'Recovery code'}).fill(CODE.replace('A', 'B'));
    await page.getByRole('button', {name: 'Unlock'}).click();
    await page.getByText('This recovery code does not open this vault.').waitFor();
    await page.getByRole('textbox', {name: 'Recovery code'}).fill(CODE.toLowerCase());
    await page.getByRole('button', {name: 'Unlock'}).click();
    await page.getByRole('heading', {name: 'Rotation'}).waitFor();

    expect(await window.placesOf(CODE.toLowerCase())).toEqual([]);
    window.isSilent();
  });

  test('is removed by the first one, which is told what that one could have read', async () => {
    const {page} = approver;
    await approver.go('/vault');
    const desktops = page.getByRole('region', {name: 'Desktops'});
    await desktops.getByRole('listitem').nth(1).waitFor();
    // By keyboard alone, from the beginning of the page.
    await approver.fromTheBeginning();
    await approver.tabTo('button', /^Remove (?!.*, This computer$)/, 'Enter');
    const dialog = page.getByRole('alertdialog');
    const name = (await dialog.locator('code').textContent()) ?? '';
    await approver.tabTo('textbox', /^Type the name of the computer/);
    await page.keyboard.insertText('another');
    await page.keyboard.press('Enter');
    await dialog.getByText('This is not the name of the computer.').waitFor();
    await approver.look('vault-remove');
    await approver.tabTo('textbox', /^Type the name of the computer/, 'Control+a');
    await page.keyboard.insertText(name);
    await approver.tabTo('button', 'Remove', 'Enter');

    await page.getByText('It could have read 1 secret.').waitFor();
    await page.getByText('The recovery code is void.').waitFor();
    await page.getByRole('button', {name: 'Make a recovery code'}).waitFor();
    expect(await desktops.getByRole('listitem').count()).toBe(1);
    await approver.look('vault-removed');
  });

  test('asks to come in, with a code to read out', async () => {
    const {page} = window;
    await page.getByRole('heading', {name: 'Ask to come in'}).waitFor();
    await page.getByLabel('Name of this computer').fill(NAME);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', {name: 'Waiting to be let in'}).waitFor();
    code = ((await page.locator('.join-code code').textContent()) ?? '').trim();

    expect(code).toMatch(/^([0-9A-Z]{4}-){4}[0-9A-Z]$/);
    await window.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', {name: 'Copy'}).click();
    await page.getByText('The code is copied.').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);
    await window.look('vault-join');
  });

  test('appears at once where somebody is in, who tells a slip from another code, by keyboard alone', async () => {
    const {page} = approver;
    const button = page.getByRole('button', {name: `Let in ${NAME}`});
    await button.waitFor();
    await approver.look('vault-request');
    await button.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText('Call the person').waitFor();

    await page.keyboard.type(`${code.startsWith('A') ? 'B' : 'A'}${code.slice(1)}`);
    await page.keyboard.press('Enter');
    await dialog.getByText('A slip: one character is wrong').waitFor();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(OTHER_CODE);
    await page.keyboard.press('Enter');
    await dialog.getByText('somebody changed this one in the database').waitFor();
    await approver.look('vault-approve');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(code.toLowerCase().replaceAll('-', ' '));
    await page.keyboard.press('Enter');

    await page.getByText(`${NAME} is in.`).waitFor();
    expect(await approver.placesOf(code.toLowerCase().replaceAll('-', ' '))).toEqual([]);
    approver.isSilent();
  });

  test('is in by itself, and forgets the code', async () => {
    await window.page.getByText('This computer is in the vault').waitFor();

    expect(await window.placesOf(code)).toEqual([]);
    await window.look('vault-joined');
    window.isSilent();
  });

  test('is told what became of a request that somebody rejects, in German', async () => {
    const german = await Window.open(browser, second.address(), {locale: 'de-DE', size: SMALL});
    const {page} = german;
    await german.go('/vault');
    await page.getByRole('listitem').filter({hasText: 'Dieser Computer'}).getByRole('button').click();
    await page.getByLabel('Zur Bestätigung').fill(NAME);
    await page.getByRole('alertdialog').getByRole('button', {name: 'Entfernen'}).click();
    await page.getByRole('button', {name: 'Um Zutritt bitten'}).click();
    await page.getByRole('heading', {name: 'Wartet auf Einlass'}).waitFor();
    await german.look('vault-join-de');

    await approver.page.getByRole('button', {name: /^Reject/}).click();

    await page.getByText('Die Bitte ist erledigt').waitFor();
    german.isSilent();
  });

  test('is told when somebody who is no member has put a key into the database', async () => {
    const {page} = approver;
    await approver.go('/keys/cameras');
    await page.getByText('There are no cameras yet').waitFor();
    await postgres.plantKey();
    await page.getByRole('button', {name: 'Add a camera'}).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Gate');
    await dialog.getByLabel('Address of the stream').fill('rtsp://127.0.0.1:9/live');
    await dialog.getByLabel('Password').fill('camera-canary-2');
    await dialog.getByRole('button', {name: 'Save'}).click();
    await dialog.getByText(/a new key that none of its members vouches for/).waitFor();
    expect(await dialog.getByLabel('Name').inputValue()).toBe('Gate');
    await page.keyboard.press('Escape');
    await page.getByRole('alert').filter({hasText: 'Somebody has put a foreign key into the vault'}).waitFor();
    await approver.look('keys-planted');

    await page.getByRole('link', {name: 'Open the vault'}).click();
    const notice = page.locator('.notice', {hasText: 'Somebody has put a foreign key into the vault'});
    await notice.waitFor();
    await page.getByRole('button', {name: 'Verify'}).click();
    await page.getByText(/No member has given the vault key/).waitFor();
    await approver.look('vault-planted');
    await notice.getByRole('button', {name: 'Go on with the members’ key'}).click();
    await notice.waitFor({state: 'detached'});
    expect((await first.ask('PUT', '/settings/ai-keys', {openai: 'sk-proj-of-the-first-desktop-0002'})).status).toBe(
      200,
    );
  });
});
