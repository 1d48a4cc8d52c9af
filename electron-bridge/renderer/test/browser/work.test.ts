import type {Browser} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

describe.skipIf(executable.value === null || command.value === null)("the team's work", () => {
  let browser: Browser;
  let served: Served;
  let window: Window;

  beforeAll(async () => {
    [browser, served] = await Promise.all([startBrowser(), Served.start()]);
    await served.ready();
    window = await Window.open(browser, served.address());
  });

  afterAll(async () => {
    await browser.close();
    await served.stop();
  });

  test('an empty team says so, and members and tasks are added by keyboard alone', async () => {
    const {page} = window;
    await page.getByText('No tasks yet').waitFor();
    await window.look('tasks-none');
    await page.keyboard.press('g');
    await page.keyboard.press('m');
    await page.getByText('No members yet').waitFor();
    await page.keyboard.press('n');
    await page.getByLabel('Name').waitFor();
    await page.keyboard.type('Ada Lovelace');
    await page.keyboard.press('Tab');
    await page.keyboard.type('ada@example.com');
    await page.keyboard.press('Control+Enter');
    await page.getByText('ada@example.com').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.keyboard.press('n');
    await page.getByLabel('Title').waitFor();
    await page.keyboard.type('Draw the plan');
    await page.keyboard.press('Control+Enter');
    const row = page.getByRole('link', {name: /Draw the plan/});
    await row.waitFor();

    expect((await served.ask('GET', '/tasks')).body).toMatchObject([{title: 'Draw the plan', status: 'To Do'}]);
  });

  test('nothing was complained about, and nothing asked of anybody else', () => {
    window.isSilent();
  });
});
