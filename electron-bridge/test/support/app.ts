/** The example app in a real Electron. */
import {existsSync, mkdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {_electron, type ElectronApplication, type Page} from 'playwright-core';
import {expect} from 'vitest';
import {EXAMPLE_MAIN} from '../../scripts/example.mjs';
import {electronPart, pythonPart, sidecarPart} from './parts.js';
import {descendants, isAlive, type ProcessEntry} from './processes.js';
import {until} from './until.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const SCREENSHOTS = join(dirname(HERE), '.output', 'screenshots');

export const python = pythonPart();
const command = sidecarPart();
const executable = electronPart();
/** Whether everything is there that the example needs. */
export const isComplete = python.value !== null && command.value !== null && executable.value !== null;

export class App {
  readonly page: Page;
  readonly electron: ElectronApplication;

  private constructor(electron: ElectronApplication, page: Page) {
    this.electron = electron;
    this.page = page;
  }

  /**
   * Open the example.
   *
   * @param home everything it keeps is below this folder.
   * @param switches more of Chromium's.
   * @param main another app's main script.
   */
  static async open(
    home: string,
    variables: Readonly<Record<string, string>>,
    switches: readonly string[] = [],
    main = EXAMPLE_MAIN,
  ): Promise<App> {
    const electron = await _electron.launch({
      executablePath: executable.value ?? '',
      args: [
        '-r',
        join(HERE, 'auto-accept.cjs'),
        main,
        `--user-data-dir=${home}`,
        '--no-sandbox',
        '--disable-gpu',
        ...switches,
      ],
      env: {
        ...(process.env as Record<string, string>),
        ...variables,
        EXAMPLE_SIDECAR_COMMAND: JSON.stringify(command.value),
      },
    });
    return new App(electron, await electron.firstWindow());
  }

  get pid(): number {
    const {pid} = this.electron.process();
    if (pid === undefined) throw new Error('the app does not run');
    return pid;
  }

  /** The sidecar's process; null when there is none. */
  sidecar(): ProcessEntry | null {
    return descendants(this.pid).find(({command: text}) => text.includes('--stdio')) ?? null;
  }

  /** Wait until the badge shows a state. */
  async reaches(text: string, timeout = 20_000): Promise<void> {
    await this.page.locator('#state', {hasText: text}).waitFor({timeout});
  }

  /** Keep a picture of the whole page. */
  async shot(name: string): Promise<void> {
    if (!existsSync(SCREENSHOTS)) mkdirSync(SCREENSHOTS, {recursive: true});
    await this.page.screenshot({path: join(SCREENSHOTS, `${name}.png`), fullPage: true});
  }

  /** Close the window as a person does; no process may be left. */
  async close(): Promise<void> {
    const family = [this.pid, ...descendants(this.pid).map(({pid}) => pid)];
    expect(family.length).toBeGreaterThan(1);
    await this.page.close();
    await until(() => !family.some(isAlive), 10_000, 'every process to end');
  }
}
