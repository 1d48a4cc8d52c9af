import type {Browser, Locator} from 'playwright-core';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {SMALL, Window, executable, startBrowser} from '../support/browser.js';
import {Served, command} from '../support/served.js';

interface Listed {
  readonly id: string;
  readonly title: string;
}

describe.skipIf(executable.value === null || command.value === null)("the team's work", () => {
  let browser: Browser;
  let served: Served;
  let window: Window;

  const press = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) await window.page.keyboard.press(key);
  };
  const type = (text: string): Promise<void> => window.page.keyboard.type(text);
  const row = (name: RegExp): Locator => window.page.getByRole('link', {name});
  const taskNamed = async (title: string): Promise<Listed> => {
    const {body} = await served.ask('GET', `/tasks?search=${encodeURIComponent(title)}`);
    const [found] = body as readonly Listed[];
    if (found === undefined) throw new Error(`no task ${title}`);
    return found;
  };
  const isFocused = (locator: Locator): Promise<boolean> =>
    locator.evaluate((element) => element === document.activeElement);

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
    await press('g', 'm');
    await page.getByText('No members yet').waitFor();
    await press('n');
    await page.getByLabel('Name').waitFor();
    await type('Ada Lovelace');
    await press('Tab');
    await type('ada@example.com');
    await press('Control+Enter');
    await page.getByText('ada@example.com').waitFor();
    await press('g', 't', 'n');
    await page.getByLabel('Title').waitFor();
    await type('Draw the plan');
    await press('Control+Enter');
    await row(/Draw the plan/).waitFor();

    expect((await served.ask('GET', '/tasks')).body).toMatchObject([{title: 'Draw the plan', status: 'To Do'}]);
  });

  test('what was typed is there again after a reload, and a refused value stays in its field', async () => {
    const {page} = window;
    await press('n');
    await page.getByLabel('Title').waitFor();
    await type('Half a thought');
    await page.reload();
    await page.getByRole('button', {name: 'Continue new task'}).click();
    await page.getByText('What you typed last time was kept.').waitFor();
    await page.getByLabel('GEAR ID').fill('12');
    await press('Control+Enter');
    await page.getByText('Exactly four digits').waitFor();
    await window.look('task-new');

    expect(await page.getByLabel('Title').inputValue()).toBe('Half a thought');
    await page.getByLabel('GEAR ID').fill('1234');
    await press('Control+Enter');
    await row(/Half a thought/).waitFor();
  });

  test('an answer that comes late closes nothing that was opened since, and takes nothing that was typed', async () => {
    const {page} = window;
    let arrive: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (arrive = resolve));
    let isFirst = true;
    await page.route('**/api/v1/tasks', async (route) => {
      if (route.request().method() === 'POST' && isFirst) {
        isFirst = false;
        await late;
      }
      await route.continue();
    });
    await press('n');
    await page.getByLabel('Title').waitFor();
    await type('Sent twice');
    await press('Control+Enter');
    await page.getByRole('dialog').getByRole('button', {name: 'Add'}).waitFor();
    await press('Escape');
    await page.getByRole('button', {name: 'Continue new task'}).click();
    await press('Control+Enter');
    await page.getByRole('dialog').waitFor({state: 'detached'});
    await press('n');
    await page.getByLabel('Title').waitFor();
    await type('Typed mean');
    const answered = page.waitForResponse((answer) => answer.request().method() === 'POST');
    arrive();
    expect((await answered).status()).toBe(201);
    await type('while');

    expect(await page.getByLabel('Title').inputValue()).toBe('Typed meanwhile');
    await page.unroute('**/api/v1/tasks');
    await page.reload();
    await page.getByRole('button', {name: 'Continue new task'}).click();
    expect(await page.getByLabel('Title').inputValue()).toBe('Typed meanwhile');
    await page.getByRole('button', {name: 'Start afresh'}).click();
    await press('Escape');
    expect((await served.ask('GET', '/tasks?search=Sent%20twice')).body).toHaveLength(1);
  });

  test('who closes the question whether to delete is asked no more, and nothing is deleted later', async () => {
    const {page} = window;
    let refused = 0;
    await page.route('**/api/v1/tasks/*', async (route) => {
      if (route.request().method() !== 'DELETE') return route.continue();
      refused += 1;
      return route.fulfill({status: 503, json: {error: 'The database is busy. Please retry.'}});
    });
    await row(/Sent twice/).click();
    await page.getByRole('button', {name: 'More actions'}).click();
    await page.getByRole('menuitem', {name: 'Delete task'}).click();
    await page.getByRole('alertdialog').getByRole('button', {name: 'Delete task'}).click();
    await page.getByText('Not sent yet, trying again').waitFor();
    await expect.poll(() => refused).toBeGreaterThan(1);
    await press('Escape');
    const tried = refused;
    await page.unroute('**/api/v1/tasks/*');
    await window.go('/tasks');
    await page.waitForTimeout(1_500);

    expect(refused).toBe(tried);
    expect((await served.ask('GET', '/tasks?search=Sent%20twice')).body).toHaveLength(1);
    await served.ask('DELETE', `/tasks/${(await taskNamed('Sent twice')).id}`);
    await row(/Sent twice/).waitFor({state: 'detached'});
  });

  test('four digits and Enter open the task of that GEAR ID; the list keeps focus and filters', async () => {
    const {page} = window;
    await press('/');
    await type('1234');
    await page.getByText('Enter opens GEAR 1234').waitFor();
    await press('Enter');
    await page.getByRole('heading', {name: 'Half a thought'}).waitFor();
    await page.goBack();
    await page.getByRole('searchbox').waitFor();

    expect(await page.getByRole('searchbox').inputValue()).toBe('1234');
    await page.getByRole('button', {name: 'Clear filters'}).click();
    await row(/Draw the plan/).waitFor();
    await row(/Draw the plan/).focus();
    await press('Enter');
    await page.getByRole('heading', {name: 'Draw the plan'}).waitFor();
    await page.goBack();
    await row(/Draw the plan/).waitFor();
    await expect.poll(() => isFocused(row(/Draw the plan/))).toBe(true);
  });

  test('S changes the status; what is blocked stands first with its whole reason', async () => {
    const {page} = window;
    const reason = 'The paper is out.\nIt comes on Friday.';
    await press('s');
    await page.getByRole('dialog', {name: 'Change the status'}).waitFor();
    await page.getByRole('radio', {name: 'Blocked'}).focus();
    await press('Space');
    await page.getByLabel('What blocks it').fill(reason);
    await press('Control+Enter');
    const first = page.locator('.task-row').first();
    await first.getByText('It comes on Friday.').waitFor();

    expect(await first.innerText()).toContain('Draw the plan');
    expect((await served.ask('GET', '/tasks?status=Blocked')).body).toMatchObject([{blocking_reason: reason}]);
  });

  test('sub-tasks are added, ticked and put in order by keyboard', async () => {
    const {page} = window;
    const {id} = await taskNamed('Draw the plan');
    await window.go(`/tasks/${id}`);
    await page.getByPlaceholder('Add a sub-task').focus();
    for (const title of ['Measure', 'Sketch', 'Ink']) {
      await type(title);
      await press('Enter');
      await page.getByRole('button', {name: `Move ${title}`}).waitFor();
    }
    await page.getByRole('button', {name: 'Move Ink'}).focus();
    await press('ArrowUp', 'ArrowUp');
    await page.getByRole('checkbox', {name: 'Sketch'}).focus();
    await press('Space');

    await expect
      .poll(async () => (await served.ask('GET', `/tasks/${id}`)).body)
      .toMatchObject({
        sub_tasks: [
          {title: 'Ink', completed: false},
          {title: 'Measure', completed: false},
          {title: 'Sketch', completed: true},
        ],
      });
    expect(await isFocused(page.getByRole('checkbox', {name: 'Sketch'}))).toBe(true);
  });

  test('sub-tasks are put in order by hand', async () => {
    const {page} = window;
    const [from, to] = await Promise.all([
      page.getByRole('button', {name: 'Move Ink'}).boundingBox(),
      page.getByRole('button', {name: 'Move Sketch'}).boundingBox(),
    ]);
    if (from === null || to === null) throw new Error('not to be seen');
    await page.mouse.move(from.x + 5, from.y + 5);
    await page.mouse.down();
    await page.mouse.move(from.x + 5, to.y + 10, {steps: 4});
    await page.mouse.up();

    const {id} = await taskNamed('Draw the plan');
    await expect
      .poll(async () => (await served.ask('GET', `/tasks/${id}`)).body)
      .toMatchObject({sub_tasks: [{title: 'Measure'}, {title: 'Sketch'}, {title: 'Ink'}]});
  });

  test('who I am is chosen once: default author, my own updates for a day, line breaks kept', async () => {
    const {page} = window;
    await page.getByRole('button', {name: /I am/}).focus();
    await press('Enter');
    await page.getByRole('option', {name: 'Ada Lovelace'}).click();
    await page.getByRole('button', {name: 'Take it'}).click();
    await page.getByPlaceholder('What happened, what is next?').focus();
    await type('Lines are drawn.');
    await press('Enter');
    await type('Circles tomorrow.');
    await press('Control+Enter');
    const update = page.getByText('Lines are drawn.\nCircles tomorrow.');
    await update.waitFor();
    await page.getByText(/23 hours left to change it|1 day left/).waitFor();
    await window.look('task');

    expect((await update.boundingBox())?.height).toBeGreaterThan(30);
    await page.getByRole('button', {name: 'Change this update'}).focus();
    await press('Enter');
    await page.getByRole('textbox', {name: 'Daily update'}).last().fill('All drawn.');
    await press('Control+Enter');
    await page.getByText('edited').waitFor();
    const {id} = await taskNamed('Draw the plan');
    expect((await served.ask('GET', `/tasks/${id}`)).body).toMatchObject({
      assignee_name: 'Ada Lovelace',
      daily_updates: [{content: 'All drawn.', edited: true}],
    });
  });

  test('list, board, standup and members of a whole team, in both themes and sizes', async () => {
    const {page} = window;
    await window.go('/tasks');
    await row(/Draw the plan/).waitFor();
    const others = ['Blaise Pascal', 'Carl Gauß', 'Émilie du Châtelet'];
    for (const [index, name] of others.entries()) {
      const {body} = await served.ask('POST', '/members', {name, email: `m${index}@example.com`});
      const {id} = body as {id: string};
      for (const status of ['To Do', 'In Progress', 'Done'])
        await served.ask('POST', '/tasks', {
          title: `${name}: a task that is ${status.toLowerCase()}`,
          status,
          priority: 'High',
          assignee_id: id,
        });
    }
    await row(/Gauß: a task that is done/).waitFor();
    await window.look('tasks-list');
    await page.getByRole('radio', {name: 'Board'}).check({force: true});
    await page.getByRole('region', {name: 'In progress'}).getByRole('link').first().waitFor();
    await window.look('tasks-board');
    await press('g', 's');
    await page.getByText('Not heard of').waitFor();
    await window.look('standup');
    await press('g', 'm');
    await page.getByText('2 open tasks').first().waitFor();
    await window.look('members');
  });

  test('a member with tasks is deleted in one step, after they went to somebody else, by keyboard alone', async () => {
    const {page} = window;
    await page.getByRole('button', {name: 'Actions for Blaise Pascal'}).focus();
    await press('Enter');
    await page.getByRole('menuitem', {name: 'Delete'}).waitFor();
    await type('Delete');
    await press('Enter');
    await page.getByText('3 tasks are theirs.').waitFor();
    await window.look('member-delete');
    await window.tabTo('button', /Give them to/, 'Enter');
    await page.getByRole('option', {name: 'Carl Gauß'}).waitFor();
    await type('Carl');
    await press('Enter');
    await window.tabTo('button', 'Reassign and delete', 'Enter');
    await page.getByText('m0@example.com').waitFor({state: 'detached'});

    const {body} = await served.ask('GET', '/tasks?search=Pascal');
    expect(body).toMatchObject(Array.from({length: 3}, () => ({assignee_name: 'Carl Gauß'})));
  });

  test('a member who wrote updates is made inactive instead, and what they wrote stays', async () => {
    const {page} = window;
    await page.getByRole('button', {name: 'Actions for Ada Lovelace'}).click();
    await page.getByRole('menuitem', {name: 'Delete'}).click();
    await page.getByText('Their daily updates would lose their author').waitFor();
    await page.getByRole('button', {name: 'Deactivate'}).click();
    await page.getByRole('listitem').filter({hasText: 'Ada Lovelace'}).getByText('inactive').waitFor();

    expect((await served.ask('GET', '/members?active=false')).body).toMatchObject([{name: 'Ada Lovelace'}]);
  });

  test('a change of a task that an inactive member has sends that change alone, so it stays theirs', async () => {
    const {page} = window;
    const {id} = await taskNamed('Draw the plan');
    await window.go(`/tasks/${id}`);
    await page.getByRole('button', {name: 'Edit'}).click();
    const sent = page.waitForRequest((request) => request.method() === 'PATCH');
    await page.getByLabel('Title').fill('Draw the plans');
    await press('Control+Enter');

    expect((await sent).postDataJSON()).toEqual({title: 'Draw the plans'});
    await page.getByRole('heading', {name: 'Draw the plans'}).waitFor();
    expect((await served.ask('GET', `/tasks/${id}`)).body).toMatchObject({assignee_name: 'Ada Lovelace'});
  });

  test('a language of its own length breaks no page, and German is there', async () => {
    const longer = await Window.open(browser, served.address('', '?lang=pseudo'), {size: SMALL});
    const {id} = await taskNamed('Draw the plan');
    for (const [path, sign] of [
      ['/tasks?view=list', '.task-row'],
      ['/tasks?view=board', '.task-card'],
      [`/tasks/${id}`, '.properties'],
      ['/standup', '.standup-person'],
      ['/members', '.member'],
    ] as const) {
      await longer.go(path);
      await longer.page.locator(sign).first().waitFor();
      await longer.keep(`pseudo-${sign.slice(1)}`);
      await longer.fitsItsWindow();
    }
    await longer.close();
    const german = await Window.open(browser, served.address(), {locale: 'de-DE', size: SMALL});
    await german.page.getByRole('heading', {name: /Aufgaben/}).waitFor();
    expect(await german.page.evaluate(() => document.documentElement.lang)).toBe('de-DE');
    german.isSilent();
    await german.close();
  });

  test('nothing was complained about, and nothing asked of anybody else', () => {
    window.isSilent();
  });
});
