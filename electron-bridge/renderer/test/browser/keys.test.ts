import type {Browser} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {pythonPart} from '../../../test/support/parts.js';
import {Providers} from '../../../test/support/providers.js';
import {SMALL, Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

const python = pythonPart();

describe.skipIf(executable.value === null || command.value === null)('keys and the vault', () => {
  let browser: Browser;
  let served: Served;
  let providers: Providers;
  let window: Window;

  beforeAll(async () => {
    providers = await Providers.start(python.value ?? '');
    [browser, served] = await Promise.all([startBrowser(), Served.start(providers.environment)]);
    await served.ready();
    window = await Window.open(browser, served.address());
  });

  afterAll(async () => {
    await browser.close();
    await served.stop();
    await providers.stop();
  });

  const dialog = (): ReturnType<Window['page']['getByRole']> => window.page.getByRole('dialog');

  test('a key that the provider refuses is not saved, one that cannot be checked is asked about', async () => {
    const {page} = window;
    await window.go('/keys');
    await page.getByRole('button', {name: 'Set a key OpenAI'}).click();
    await dialog().getByLabel('Key').fill('short');
    await dialog().getByRole('button', {name: 'Save'}).click();
    await page.getByText('A key has at least 10 characters.').waitFor();

    await dialog().getByLabel('Key').fill(providers.keys.bad);
    await dialog().getByRole('button', {name: 'Save'}).click();
    await page.getByText(/Nothing was saved; what was stored before still counts/).waitFor();
    await window.look('keys-bad');
    expect(await dialog().getByRole('button', {name: 'Save without a check'}).count()).toBe(0);

    await dialog().getByLabel('Key').fill(providers.keys.unreachable);
    await dialog().getByRole('button', {name: 'Save', exact: true}).click();
    await dialog().getByRole('button', {name: 'Save without a check'}).waitFor();
    await window.look('keys-unreachable');
    expect((await served.ask('GET', '/settings/ai-keys')).body).toMatchObject({openai: {set: false}});
  });

  test('a good one is tested, saved, masked, and replaced by keyboard alone', async () => {
    const {page} = window;
    await dialog().getByLabel('Key').fill(providers.keys.good);
    await dialog().getByRole('button', {name: 'Test'}).click();
    await dialog().locator('.outcome[data-kind="good"]').waitFor();
    await window.look('keys-good');
    await dialog().getByRole('button', {name: 'Save', exact: true}).click();
    await dialog().waitFor({state: 'detached'});
    const mask = providers.keys.good.slice(-4);
    await page.getByText(new RegExp(`${mask}$`)).waitFor();
    await window.look('keys-providers');

    const replace = page.getByRole('button', {name: 'Replace the key OpenAI'});
    await replace.click();
    await dialog().getByLabel('Not to be used after').fill('2031-05-01');
    await page.keyboard.press('Escape');
    await replace.click();
    await dialog().getByText('What you typed last time was kept.').waitFor();
    expect(await dialog().getByLabel('Not to be used after').inputValue()).toBe('2031-05-01');
    await dialog().getByRole('button', {name: 'Start afresh'}).click();
    expect(await dialog().getByLabel('Not to be used after').inputValue()).toBe('');
    await page.keyboard.press('Escape');
    await dialog().waitFor({state: 'detached'});
    await replace.focus();
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    await page.keyboard.insertText(providers.keys.better);
    await page.keyboard.press('Enter');
    await dialog().waitFor({state: 'detached'});
    await page.getByText(new RegExp(`${providers.keys.better.slice(-4)}$`)).waitFor();
  });

  test('an answer that comes late closes no other dialog, and what was typed into that one stays', async () => {
    const {page} = window;
    let arrive: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (arrive = resolve));
    await page.route('**/api/v1/settings/ai-keys', async (route) => {
      if (route.request().method() === 'PUT') await late;
      await route.continue();
    });
    await page.getByRole('button', {name: 'Replace the key OpenAI'}).click();
    await dialog().getByLabel('Key').fill(providers.keys.good);
    const sent = page.waitForRequest((request) => request.method() === 'PUT');
    await dialog().getByRole('button', {name: 'Save', exact: true}).click();
    await sent;
    await page.keyboard.press('Escape');
    await dialog().waitFor({state: 'detached'});
    await page.getByRole('button', {name: 'Set a key Anthropic'}).click();
    await dialog().getByLabel('Key').fill('typed-meanwhile');
    const answered = page.waitForResponse((answer) => answer.request().method() === 'PUT');
    arrive();
    expect((await answered).ok()).toBe(true);
    await page.getByText(new RegExp(`${providers.keys.good.slice(-4)}$`)).waitFor();

    expect(await dialog().getByLabel('Key').inputValue()).toBe('typed-meanwhile');
    await page.unroute('**/api/v1/settings/ai-keys');
    await page.keyboard.press('Escape');
    await dialog().waitFor({state: 'detached'});
  });

  test('servers, tenants, users, cameras and alert rules are added and shown masked', async () => {
    const {page} = window;
    const {keyboard} = page;
    // Chat servers and cameras by keyboard alone.
    await window.tabTo('radio', 'Providers', 'ArrowRight');
    await page.getByText('No chat server has a key').waitFor();
    await window.look('keys-servers-none');
    await window.tabTo('button', 'Add a chat server', 'Enter');
    await dialog().waitFor();
    await window.tabTo('textbox', 'Id of the server');
    await keyboard.type('guild-7');
    await window.tabTo('textbox', 'Key');
    await keyboard.insertText(providers.keys.good);
    await window.look('keys-servers-add');
    await window.tabTo('button', 'Save', 'Enter');
    await page.locator('.key-name', {hasText: 'guild-7'}).waitFor();
    await dialog().waitFor({state: 'detached'});
    await window.tabTo('button', 'More actions: guild-7', 'Enter');
    await page.getByRole('menuitem', {name: 'Delete'}).waitFor();
    await keyboard.press('Escape');

    await window.tabTo('radio', 'Chat servers', 'ArrowRight');
    await window.tabTo('button', 'Add a tenant', 'Enter');
    await dialog().waitFor();
    await window.tabTo('textbox', 'Id');
    await keyboard.type('acme');
    await window.tabTo('textbox', 'Name');
    await keyboard.type('Acme');
    await window.tabTo('button', 'Save', 'Enter');
    await dialog().waitFor({state: 'detached'});
    await window.tabTo('button', 'Set a key Acme', 'Enter');
    await dialog().waitFor();
    await window.tabTo('textbox', 'Key');
    await keyboard.insertText(providers.keys.bad);
    await keyboard.press('Enter');
    await dialog().locator('.outcome[data-kind="bad"]').waitFor();
    await window.tabTo('textbox', 'Key', 'Control+a');
    await keyboard.insertText(providers.keys.good);
    await keyboard.press('Enter');
    await page.getByRole('button', {name: 'Replace the key Acme'}).waitFor();
    await dialog().waitFor({state: 'detached'});
    await window.look('keys-tenants');

    await window.fromTheBeginning();
    await window.tabTo('radio', 'Tenants', 'ArrowRight');
    await page.getByRole('heading', {name: 'First keys'}).waitFor();
    await window.look('keys-users');
    await window.tabTo('textbox', 'Id of the user');
    await keyboard.type('user-7');
    await window.tabTo('button', 'Set a key', 'Enter');
    await dialog().waitFor();
    await window.tabTo('textbox', 'Key');
    await keyboard.insertText(providers.keys.good);
    await keyboard.press('Enter');
    await page.locator('.outcome[data-kind="good"]').waitFor();
    await dialog().waitFor({state: 'detached'});

    // Tab enters at the part that is shown, not at the first one.
    await window.fromTheBeginning();
    await window.tabTo('radio', 'Users', 'ArrowRight');
    await page.getByText('There are no cameras yet').waitFor();
    await window.tabTo('button', 'Add a camera', 'Enter');
    await dialog().waitFor();
    for (const [name, text] of [
      ['Name', 'Gate'],
      ['Address of the stream', 'rtsp://127.0.0.1:9/live'],
      [/^User/, 'viewer'],
      [/^Password/, 'camera-canary-1'],
    ] as const) {
      await window.tabTo('textbox', name);
      await keyboard.insertText(text);
    }
    await window.tabTo('button', 'Test', 'Enter');
    await dialog().getByText('The connection was refused: nothing listens on that port.').waitFor();
    await window.look('keys-cameras-test');
    await window.tabTo('button', 'Save', 'Enter');
    await page.getByText('Password stored').waitFor();
    await dialog().waitFor({state: 'detached'});
    await window.look('keys-cameras');

    await window.fromTheBeginning();
    await window.tabTo('radio', 'Cameras', 'ArrowRight');
    await window.tabTo('button', 'Add an alert rule', 'Enter');
    await dialog().waitFor();
    for (const [name, text] of [
      ['Name', 'Pager'],
      ['Address', 'http://127.0.0.1:9/hook'],
    ] as const) {
      await window.tabTo('textbox', name);
      await keyboard.insertText(text);
    }
    await window.tabTo('button', 'Add a header', 'Enter');
    await window.tabTo('textbox', 'Header');
    await keyboard.insertText('X-Token');
    await window.tabTo('textbox', 'Value');
    await keyboard.insertText('header-canary-22');
    await window.tabTo('checkbox', /The address is in our own network/, 'Space');
    await window.look('keys-alerts-add');

    // The page is read anew before it was saved: all is there again but secrets, which were nowhere.
    const kept = await page.evaluate(() => JSON.stringify(Object.entries(sessionStorage)));
    expect(kept).toContain('Pager');
    expect(kept).not.toMatch(/header-canary|9\/hook/);
    await page.reload();
    await page.getByRole('radio', {name: 'Alert rules'}).check({force: true});
    await page.getByRole('button', {name: 'Add an alert rule'}).click();
    await dialog().getByText('What you typed last time was kept.').waitFor();
    expect(await dialog().getByLabel('Name').inputValue()).toBe('Pager');
    expect(await dialog().getByLabel('Header', {exact: true}).inputValue()).toBe('X-Token');
    await dialog().getByLabel('Value').fill('header-canary-22');
    await dialog().getByRole('textbox', {name: 'Address'}).fill('http://127.0.0.1:9/hook');

    // The answer is lost: whoever saves again adds no second one.
    await page.route('**/api/v1/alert-rules', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      await route.fetch();
      return route.abort();
    });
    await dialog().getByRole('button', {name: 'Save'}).click();
    await dialog().locator('.outcome[data-kind="bad"]').waitFor();
    await window.look('keys-alerts-lost');
    await page.unroute('**/api/v1/alert-rules');
    await dialog().getByRole('button', {name: 'Save'}).click();
    await page.getByText('1 header').waitFor();
    await dialog().waitFor({state: 'detached'});
    expect((await served.ask('GET', '/alert-rules')).body).toHaveLength(1);
    await window.fromTheBeginning();
    await window.tabTo('button', 'Send a test event Pager', 'Enter');
    await page.locator('.key-row .outcome[data-kind="bad"]').waitFor();
    await window.look('keys-alerts');

    // A colleague renames the rule while somebody changes its address: both stay.
    const [rule] = (await served.ask('GET', '/alert-rules')).body as readonly {id: string}[];
    await page.getByRole('button', {name: 'More actions: Pager'}).click();
    await page.getByRole('menuitem', {name: 'Edit'}).click();
    await dialog().getByRole('textbox', {name: 'Address'}).fill('http://127.0.0.1:9/other');
    await served.ask('PATCH', `/alert-rules/${rule?.id}`, {name: 'Siren'});
    await dialog().getByRole('button', {name: 'Save'}).click();
    await page.getByText('http://127.0.0.1:9/other').waitFor();
    expect((await served.ask('GET', '/alert-rules')).body).toMatchObject([
      {
        name: 'Siren',
        actions: {
          webhook: {url: 'http://127.0.0.1:9/other', headers: {'X-Token': expect.stringMatching(/^\*{4}/) as unknown}},
        },
      },
    ]);
  });

  test('the audit log tells it, filtered, and is verified in words, by keyboard alone', async () => {
    const {page} = window;
    await window.go('/audit');
    await page
      .getByRole('cell', {name: 'Set openai'})
      .or(page.getByRole('cell', {name: 'Everybody openai'}))
      .first()
      .waitFor();
    await window.tabTo('button', 'Verify the chain', 'Enter');
    await page.getByText(/^All \d+ entries are intact and in their places/).waitFor();
    await window.look('audit');
    await window.tabTo('button', /What was done/, 'Enter');
    await page.getByRole('option', {name: 'Deleted'}).waitFor();
    await page.keyboard.type('Deleted');
    await page.keyboard.press('Enter');
    await page.getByText('No entry matches').waitFor();
  });

  test('usage is empty until something is used, then a chart by owner and day', async () => {
    const {page} = window;
    await window.go('/usage');
    await page.getByText('Nothing has been used yet').waitFor();
    const answer = await fetch(`${served.url}/ai-gateway/system/default/openai/v1/chat/completions`, {
      method: 'POST',
      headers: {'authorization': `Bearer ${served.token}`, 'content-type': 'application/json'},
      body: JSON.stringify({model: 'gpt-4o-mini', messages: [{role: 'user', content: 'Hi'}]}),
    });
    expect(answer.status).toBe(200);
    await answer.text();

    await page.reload();
    await page.getByRole('img', {name: 'Calls by day and owner'}).waitFor();
    // By keyboard alone, from the beginning of the page.
    await window.tabTo('radio', 'Calls', 'ArrowRight');
    await page.getByRole('img', {name: 'Tokens by day and owner'}).waitFor();
    await window.tabTo('DisclosureTriangle', 'As a table', 'Enter');
    await page.getByRole('cell', {name: 'openai gpt-4o-mini'}).waitFor();
    await window.tabTo('region', 'As a table');
    await window.look('usage');
  });

  test('a recovery code is shown once, typed again, and set; rotation runs to its end', async () => {
    const {page} = window;
    await window.go('/vault');
    await window.tabTo('button', 'Make a recovery code', 'Enter');
    const groups = await page.locator('.sheet-code span').allTextContents();
    expect(groups).toHaveLength(8);
    await window.look('vault-recovery');
    await window.tabTo('button', 'I have it on paper', 'Enter');
    await window.tabTo('textbox', /^Recovery code/);
    await page.keyboard.type('AAAA');
    await page.keyboard.press('Enter');
    await page.getByText('This is not the code that was shown.').waitFor();
    await window.tabTo('textbox', /^Recovery code/, 'Control+a');
    await page.keyboard.insertText(groups.join(' ').toLowerCase());
    await window.tabTo('button', 'Save', 'Enter');
    await page.getByText('The recovery code is set.').waitFor();
    expect(await window.placesOf(groups.join('-'))).toEqual([]);

    await window.tabTo('button', 'Rotate now', 'Enter');
    await page.getByText(/secrets were sealed anew/).waitFor();
    await window.look('vault');
  });

  test('a language of its own length breaks none of these pages, and every text is of the catalogue', async () => {
    const longer = await Window.open(browser, served.address('', '?lang=pseudo'), {size: SMALL});
    // Names of products and desktops, what was typed above, and days.
    const data =
      /^(TaskFlow|OpenAI|Anthropic|Google|DeepSeek|PostgreSQL|guild-7|acme|Acme|Gate|Siren|viewer|\S+@\S+|openai.*|gpt.*|rtsp:.*|http:.*|password|header:.*|….*|[0-9a-f-]{8,}…?|\d+ \w+( \d+)?(, .*)?|\w+ \d+(, .*)?)$/i;
    const broken: Record<string, readonly string[]> = {};
    for (const [path, sign] of [
      ['/keys', '.key-row'],
      ['/keys/servers', '.key-row'],
      ['/keys/tenants', '.key-row'],
      ['/keys/users', '.section'],
      ['/keys/cameras', '.key-row'],
      ['/keys/alerts', '.key-row'],
      ['/usage', '.chart'],
      ['/audit', '.table'],
      ['/vault', '.section'],
      ['/connection', '.card-choice'],
      ['/start', 'h1'],
    ] as const) {
      await longer.go(path);
      await longer.page.locator(`.main ${sign}`).first().waitFor();
      await longer.keep(`pseudo${path.replaceAll('/', '-')}`);
      await longer.fitsItsWindow();
      const found = await longer.breaksOf(data);
      if (found.length > 0) broken[path] = found;
    }
    await longer.close();
    expect(broken).toEqual({});
  });

  test('no key is anywhere in the page any more', async () => {
    for (const secret of [...Object.values(providers.keys), 'camera-canary-1', 'header-canary-22'])
      expect(await window.placesOf(secret)).toEqual([]);
    window.isSilent();
  });
});
