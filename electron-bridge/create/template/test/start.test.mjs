/** The app starts, shows what it is for, and leaves nothing running. On Linux it needs a screen: `xvfb-run npm test`. */
import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import electron from 'electron';
import {_electron} from 'playwright-core';

test('the window shows the team’s work, and closing it ends the app', {timeout: 60_000}, async () => {
  const home = await mkdtemp(join(tmpdir(), 'APP_NAME-'));
  // Chromium refuses to run as root with its sandbox.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox', '--disable-gpu'] : [];
  const app = await _electron.launch({
    executablePath: String(electron),
    args: ['.', `--user-data-dir=${home}`, '--lang=en', ...asRoot],
  });
  const child = app.process(); // which cannot be asked for any more once the app has ended
  try {
    const page = await app.firstWindow();
    await page.getByRole('heading', {name: 'Where should your work live?'}).waitFor();
    const answer = await page.evaluate(() => window.taskflow.request({method: 'GET', path: '/api/v1/members'}));
    assert.deepEqual([answer.ok, answer.value?.status, answer.value?.body], [true, 200, '[]']);

    const ended = new Promise((resolve) => child.once('exit', resolve));
    await page.close();
    assert.equal(await ended, 0);
  } finally {
    child.kill();
    await rm(home, {recursive: true, force: true, maxRetries: 20, retryDelay: 100}); // Chromium's own processes end last
  }
});
