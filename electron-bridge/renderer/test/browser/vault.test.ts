import type {Browser} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {pythonPart} from '../../../test/support/parts.js';
import {Postgres} from '../../../test/support/postgres.js';
import {Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

const python = pythonPart();
/** 160 bits, as a person has them on paper. */
const CODE = 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567';

describe.skipIf(executable.value === null || command.value === null)('a second desktop', () => {
  let browser: Browser;
  let first: Served;
  let second: Served;
  let postgres: Postgres;
  let window: Window;

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
    await page.getByLabel('Recovery code').fill(CODE.replace('A', 'B'));
    await page.getByRole('button', {name: 'Unlock'}).click();
    await page.getByText('This recovery code does not open this vault.').waitFor();
    await page.getByLabel('Recovery code').fill(CODE.toLowerCase());
    await page.getByRole('button', {name: 'Unlock'}).click();
    await page.getByRole('heading', {name: 'Rotation'}).waitFor();

    expect(await window.placesOf(CODE.toLowerCase())).toEqual([]);
    window.isSilent();
  });
});
