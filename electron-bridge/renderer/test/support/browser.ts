/** A real Chromium, and what every page of the interface must be: silent, accessible, and worth looking at. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {chromium, type Browser, type BrowserContext, type CDPSession, type Page} from 'playwright-core';
import {expect} from 'vitest';
import {BRIDGE} from '../../../scripts/python.mjs';
import {part} from '../../../test/support/parts.js';

const SCREENSHOTS = join(BRIDGE, 'test', '.output', 'ui');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** What the standard asks for, and what costs nobody anything. */
const RULES = {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']} as const;
/** All that can differ between two themes. */
const COLOURS = {type: 'rule', values: ['color-contrast', 'link-in-text-block']} as const;
/** Pictures are for people to look at; nobody does where changes are checked. */
const ARE_PICTURES_WANTED = process.env['CI'] === undefined || process.env['TASKFLOW_PICTURES'] !== undefined;

const found = spawnSync('sh', ['-c', 'command -v chromium'], {encoding: 'utf8'}).stdout.trim();
export const executable = part(found === '' ? null : found, 'no Chromium (Debian: apt-get install -y chromium)');

const TIMEOUT_MS = 20_000;
const MOST_TABS = 60;
const SETTLED_MS = 2_000;

interface Spoken {
  readonly role: string;
  readonly name: string;
}

const OPERATED = new Set(
  'button link textbox searchbox combobox checkbox switch radio slider spinbutton menuitem option tab'.split(' '),
);

function spoken(node?: {role?: {value?: unknown}; name?: {value?: unknown}}): Spoken {
  const [role, name] = [node?.role?.value, node?.name?.value];
  return {role: typeof role === 'string' ? role : '', name: typeof name === 'string' ? name : ''};
}

export const SMALL = {width: 1024, height: 600};
export const LARGE = {width: 1440, height: 900};

export interface WindowOptions {
  readonly size?: {readonly width: number; readonly height: number};
  readonly theme?: 'light' | 'dark';
  readonly locale?: string;
  /** As nobody has opened it before; otherwise the person has said where the work is to live. */
  readonly isFirst?: boolean;
}

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: executable.value ?? '',
    args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu', '--no-proxy-server'],
  });
}

/** One window and what it complained about. */
export class Window {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors and warnings of its console, and exceptions. */
  readonly complaints: string[] = [];
  /** Everything on its console. */
  readonly said: string[] = [];
  /** Every address that it asked for. */
  readonly asked: string[] = [];
  /** Addresses that it asked for outside of the sidecar. */
  readonly strangers: string[] = [];
  #session: CDPSession | null = null;

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
  }

  static async open(browser: Browser, address: string, options: WindowOptions = {}): Promise<Window> {
    const {size = LARGE, theme = 'light', locale = 'en-GB', isFirst = false} = options;
    const context = await browser.newContext({viewport: size, colorScheme: theme, locale, reducedMotion: 'reduce'});
    context.setDefaultTimeout(TIMEOUT_MS);
    if (!isFirst) await context.addInitScript(() => localStorage.setItem('taskflow.place-chosen', '1'));
    const window = new Window(context, await context.newPage());
    window.#listen(new URL(address).origin);
    await window.page.goto(address);
    return window;
  }

  #listen(origin: string): void {
    this.page.on('console', (message) => {
      this.said.push(message.text());
      const isOurs = !message.text().startsWith('Failed to load resource');
      if (isOurs && ['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    this.page.on('pageerror', (error) => this.complaints.push(String(error)));
    this.page.on('request', (request) => {
      this.asked.push(request.url());
      if (!request.url().startsWith(`${origin}/`)) this.strangers.push(request.url());
    });
  }

  /** Go to a page of the interface. */
  async go(path: string): Promise<void> {
    await this.page.evaluate((fragment) => {
      location.hash = fragment;
    }, path);
  }

  /** Keep pictures of what is shown, in both themes and sizes (not under CI), and let axe look at it in both themes. */
  async look(name: string): Promise<void> {
    const size = this.page.viewportSize() ?? LARGE;
    for (const theme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({colorScheme: theme, reducedMotion: 'reduce'});
      for (const [label, each] of [
        ['small', SMALL],
        ['large', LARGE],
      ] as const) {
        await this.page.setViewportSize(each);
        await this.keep(`${name}-${theme}-${label}`);
        await this.fitsItsWindow();
      }
      await this.isAccessible(theme === 'light' ? RULES : COLOURS);
    }
    await this.isNamed();
    await this.page.emulateMedia({colorScheme: 'light', reducedMotion: 'reduce'});
    await this.page.setViewportSize(size);
  }

  /** Keep a picture of what is shown now. */
  async keep(name: string): Promise<void> {
    if (!ARE_PICTURES_WANTED) return;
    mkdirSync(SCREENSHOTS, {recursive: true});
    await this.page.screenshot({path: join(SCREENSHOTS, `${name}.png`)});
  }

  /** Press Tab until what has the focus is, to a screen reader, of this role and name; then perhaps more keys. */
  async tabTo(role: string, name: string | RegExp, ...keys: readonly string[]): Promise<void> {
    const passed: string[] = [];
    for (let turn = 0; turn < MOST_TABS; turn += 1) {
      const focused = await this.#focused();
      const isName = typeof name === 'string' ? focused.name === name : name.test(focused.name);
      if (focused.role === role && isName) {
        for (const key of keys) await this.page.keyboard.press(key);
        return;
      }
      passed.push(`${focused.role} "${focused.name}"`);
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not lead to ${role} "${String(name)}", but to ${passed.join(', ')}`);
  }

  /** Begin at the top of the page, as who opens it does. */
  async fromTheBeginning(): Promise<void> {
    await this.page.getByRole('main').focus();
    await this.page.keyboard.press('Tab');
  }

  /** What has the focus, as the accessibility tree has it. */
  async #focused(): Promise<Spoken> {
    const session = await this.#tree();
    const {result} = await session.send('Runtime.evaluate', {expression: 'document.activeElement ?? document.body'});
    const found = await session.send('Accessibility.getPartialAXTree', {
      objectId: result.objectId ?? '',
      fetchRelatives: false,
    });
    return spoken(found.nodes[0]);
  }

  /** Whatever can be operated has a name that is read out. */
  async isNamed(): Promise<void> {
    const {nodes} = await (await this.#tree()).send('Accessibility.getFullAXTree');
    const all = nodes.filter(({ignored}) => !ignored).map(spoken);
    expect(all.filter(({role, name}) => OPERATED.has(role) && name.trim() === '')).toEqual([]);
    expect(all.some(({role}) => OPERATED.has(role))).toBe(true);
  }

  async #tree(): Promise<CDPSession> {
    return (this.#session ??= await this.context.newCDPSession(this.page));
  }

  async isAccessible(rules: typeof RULES | typeof COLOURS = RULES): Promise<void> {
    // Through the protocol, which the page's policy does not bind; once for each document.
    if (!(await this.page.evaluate(() => 'axe' in globalThis))) await this.page.evaluate(AXE);
    // A window that has just changed its size may still be moving what it shows.
    await expect.poll(() => this.#violations(rules), {timeout: SETTLED_MS}).toEqual([]);
  }

  async #violations(rules: typeof RULES | typeof COLOURS): Promise<string[]> {
    return this.page.evaluate(async (runOnly) => {
      const {axe} = globalThis as unknown as {axe: typeof import('axe-core')};
      // The component library names what it announces by buttons that may be gone by then; it clears that by itself.
      const context = {exclude: ['[data-live-announcer]']};
      const {violations: all} = await axe.run(context, {
        runOnly: {type: runOnly.type, values: [...runOnly.values]},
        resultTypes: ['violations'],
      });
      return all.flatMap(({id, nodes}) =>
        nodes.map(({html, target, failureSummary}) => `${id}: ${target.join(' ')}: ${html}: ${failureSummary}`),
      );
    }, rules);
  }

  /** Nothing sticks out sideways. */
  async fitsItsWindow(): Promise<void> {
    const wide = await this.page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll('.main, .nav, .dialog-body')]
        .filter((element) => element.scrollWidth > element.clientWidth + 1)
        .map((element) => element.className || element.tagName),
    );
    expect(wide).toEqual([]);
  }

  /** In the pseudo-locale: what is shown or read out and stands in no catalogue, and what of it is cut off. */
  async breaksOf(data: RegExp): Promise<readonly string[]> {
    const found = await this.page.evaluate(() => {
      const isShown = (element: Element): boolean => element.getClientRects().length > 0;
      const texts: string[] = [];
      const cut: string[] = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const element = node.parentElement;
        if (element === null || !isShown(element)) continue;
        const text = node.textContent ?? '';
        if (element.closest('code, kbd, time, pre, [translate="no"]') === null) texts.push(text);
        if (!text.includes('⟦') || element.closest('.only-read-out') !== null) continue;
        // A name that is too long for its line ends in dots; nothing else leaves what it stands in.
        const own = element.getBoundingClientRect();
        const isOutside = (outer: Element | null): boolean =>
          outer !== null && own.right > outer.getBoundingClientRect().right + 1;
        const {overflowX, position} = getComputedStyle(element);
        if (overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1) cut.push(`cut off: ${text}`);
        else if (position === 'static' && isOutside(element.parentElement)) cut.push(`sticks out: ${text}`);
        else if (isOutside(element.closest('.person, .task-row, .task-card, .key-row'))) cut.push(`is hidden: ${text}`);
      }
      for (const element of document.querySelectorAll('[aria-label], [placeholder], [title]'))
        for (const name of ['aria-label', 'placeholder', 'title'])
          if (isShown(element)) texts.push(element.getAttribute(name) ?? '');
      return {texts, cut};
    });
    const strays = found.texts
      .map((text) => text.trim())
      .filter((text) => /\p{L}{2}/u.test(text) && !text.includes('⟦'));
    return [...strays.filter((text) => !data.test(text)), ...found.cut];
  }

  /** Where a secret can be found in the page, after it was handed over. */
  async placesOf(secret: string): Promise<readonly string[]> {
    const places = await this.page.evaluate(() => ({
      'session storage': JSON.stringify(Object.entries(sessionStorage)),
      'local storage': JSON.stringify(Object.entries(localStorage)),
      'cookies': document.cookie,
      'document': document.documentElement.outerHTML,
      'fields': [...document.querySelectorAll('input, textarea')]
        .map((field) => (field as HTMLInputElement).value)
        .join(),
      'address': location.href,
      'loaded addresses': performance
        .getEntries()
        .map(({name}) => name)
        .join(),
    }));
    const all = {...places, console: this.said.join(), requests: this.asked.join()};
    const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
    return Object.entries(all).flatMap(([place, text]) => (forms.some((form) => text.includes(form)) ? [place] : []));
  }

  /** Nothing was complained about, and nothing asked of anybody else. */
  isSilent(): void {
    expect(this.complaints).toEqual([]);
    expect(this.strangers).toEqual([]);
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
