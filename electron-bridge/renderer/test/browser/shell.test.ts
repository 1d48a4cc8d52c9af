import type {Browser} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {pythonPart} from '../../../test/support/parts.js';
import {least} from '../../../test/support/until.js';
import {unzipped} from '../../../test/support/zip.js';
import {Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

const python = pythonPart();
/** How long React keeps what stands in a page's place while its file is loaded, should it be left to do that. */
const KEPT_UP_MS = 300;

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

  test('a page is there as soon as its file is, also when it is opened for the first time', async () => {
    const opened = ['Members', 'Standup', 'Usage'].values();
    const took = await least(KEPT_UP_MS, () =>
      window.page.evaluate(async (title) => {
        const begun = performance.now();
        location.hash = `/${title.toLowerCase()}`;
        while (document.querySelector('main h1')?.textContent.startsWith(title) !== true)
          await new Promise(requestAnimationFrame);
        return performance.now() - begun;
      }, opened.next().value ?? 'Members'),
    );

    expect(took).toBeLessThan(KEPT_UP_MS);
  });

  test('a page whose file cannot be loaded says so, and is loaded when it is opened again', async () => {
    await window.page.route('**/VaultPage-*.js', (route) => route.abort());
    await window.go('/vault');
    const again = window.page.getByRole('button', {name: 'Open again'});
    await again.waitFor();
    window.complaints.length = 0; // the browser's own, and React's, about that file
    await window.look('page-missing');
    await window.page.unroute('**/VaultPage-*.js');
    await again.click();
    await window.page.getByRole('heading', {name: 'Vault', level: 1}).waitFor();
  });

  test.each([
    ['a page', '/nowhere', 'page-not-found'],
    ['a task', '/tasks/00000000-0000-4000-8000-000000000000', 'task-gone'],
  ])('%s that is not there is told, under a heading', async (_what, path, name) => {
    await window.go(path);
    await window.page.locator('main h1.empty-title').waitFor();
    await window.look(name);
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
    await window.go('/start');
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
