import type {Browser} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {pythonPart} from '../../../test/support/parts.js';
import {unzipped} from '../../../test/support/zip.js';
import {Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

const python = pythonPart();

describe.skipIf(executable.value === null || command.value === null)('the shell', () => {
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

  test('the token is taken out of the address and lives in the session of the tab only', async () => {
    await window.go('/start');
    await window.page.getByRole('heading', {name: 'Everything is ready'}).waitFor();

    expect(window.page.url()).not.toContain(served.token);
    expect(await window.page.evaluate(() => JSON.stringify(localStorage) + document.cookie)).not.toContain(
      served.token,
    );
    expect(await window.page.evaluate(() => document.documentElement.outerHTML)).not.toContain(served.token);
    await window.page.reload();
    await window.page.getByRole('heading', {name: 'Everything is ready'}).waitFor();
    await window.page.getByText('Show the log').click();
    await window.page.getByText(/^\d\d:\d\d:\d\d\.\d+ info +listening/m).waitFor();
    await window.look('start-ready');
  });

  test('what helps whoever helps is kept as a file, without a secret', async () => {
    const downloading = window.page.waitForEvent('download');
    await window.page.getByRole('button', {name: 'Save a support archive'}).click();
    const download = await downloading;
    await window.page.getByText(/^Saved. It holds findings/).waitFor();

    expect(download.suggestedFilename()).toBe('taskflow-support.zip');
    const entries = unzipped(python.value ?? '', await download.path());
    expect(Object.keys(entries)).toEqual(expect.arrayContaining(['about.json', 'doctor.json', 'logs/sidecar.log']));
    expect(JSON.stringify(entries)).not.toContain(served.token);
  });

  test('the policy allows nothing but files of its own, and nobody may frame it', async () => {
    const answer = await fetch(served.url);
    const policy = answer.headers.get('content-security-policy') ?? '';

    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(await answer.text()).not.toMatch(/<script(?![^>]* src=)|<style| on\w+=|https?:\/\//);
  });

  test('keys: ? explains them', async () => {
    await window.page.keyboard.press('?');
    await window.page.getByRole('dialog', {name: 'Keyboard shortcuts'}).waitFor();
    await window.look('help');
    await window.page.keyboard.press('Escape');
    await window.page.getByRole('dialog').waitFor({state: 'detached'});
  });

  test('a sidecar that is gone is said, and its return is seen without a hand', async () => {
    const {port} = new URL(served.url);
    await served.kill('SIGKILL');
    await window.page.getByRole('heading', {name: 'The sidecar is not running'}).waitFor();
    await window.page.getByRole('button', {name: 'Save a support archive'}).click();
    await window.page.getByText('taskflow-sidecar doctor --bundle').waitFor();
    await window.look('start-gone');
    await served.startAgain(Number(port));
    // It has another token now, which this tab cannot know.
    await window.page.getByText('This page does not know the sidecar that is running now.').waitFor();

    await window.page.goto(served.address());
    await window.page.reload();
    await window.go('/start');
    await window.page.getByRole('heading', {name: 'Everything is ready'}).waitFor();
  });

  test('nothing was complained about, and nothing asked of anybody else', () => {
    window.isSilent();
  });
});
