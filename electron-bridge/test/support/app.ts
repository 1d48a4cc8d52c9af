/** A real Electron with the interface in its window. */
import {existsSync, mkdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {_electron, type ElectronApplication, type Page} from 'playwright-core';
import {expect} from 'vitest';
import type {Sidecar, SidecarState, Snapshot} from '../../src/index.js';
// What the preload script puts on `window`.
import type {} from '../../src/renderer.js';
import {electronPart, pythonPart, sidecarPart} from './parts.js';
import {descendants, isAlive, type ProcessEntry} from './processes.js';
import {until} from './until.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const OUTPUT = join(dirname(HERE), '.output');
const SCREENSHOTS = join(OUTPUT, 'screenshots');
const PRELOAD = join(OUTPUT, 'preload.cjs');

export const python = pythonPart();
const command = sidecarPart();
const executable = electronPart();
/** Whether everything is there that the app needs. */
export const isComplete = python.value !== null && command.value !== null && executable.value !== null;

export interface AppOptions {
  /** Everything it keeps is below this folder. */
  readonly home: string;
  /** Its environment, besides the present one. */
  readonly variables: Readonly<Record<string, string>>;
  /** More of Chromium's switches. */
  readonly switches?: readonly string[];
  /** Environment of the sidecar. */
  readonly env?: Readonly<Record<string, string>>;
  /** Keep the vault's key in the system's secure store. */
  readonly custody?: true;
}

export class App {
  readonly page: Page;
  readonly electron: ElectronApplication;

  private constructor(electron: ElectronApplication, page: Page) {
    this.electron = electron;
    this.page = page;
  }

  static async open({home, variables, switches = [], env, custody}: AppOptions): Promise<App> {
    // As an app's own preload script: bundled, for it is sandboxed.
    const contents = "import {exposeSidecar} from '@taskflow/electron-bridge/preload'; exposeSidecar();";
    await build({
      stdin: {contents, resolveDir: HERE},
      outfile: PRELOAD,
      bundle: true,
      format: 'cjs',
      external: ['electron'],
      tsconfigRaw: '{}',
    });
    const electron = await _electron.launch({
      executablePath: executable.value ?? '',
      args: [
        join(HERE, 'ui-app.cjs'),
        ...[`--user-data-dir=${home}`, '--lang=en', '--no-sandbox', '--disable-gpu'],
        ...switches,
      ],
      env: {
        ...(process.env as Record<string, string>),
        ...variables,
        UI_APP: JSON.stringify({command: command.value, preload: PRELOAD, env, custody}),
      },
    });
    const page = await electron.firstWindow();
    await page.waitForURL(/index\.html/);
    return new App(electron, page);
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

  /** What the page is told, as soon as that is of this kind. */
  async reaches<K extends SidecarState['kind']>(
    kind: K,
  ): Promise<Snapshot & {readonly state: Extract<SidecarState, {kind: K}>}> {
    const snapshot = await this.page.evaluate(
      (wanted) =>
        new Promise<Snapshot>((resolve, reject) => {
          const deadline = setTimeout(() => reject(new Error(`no state ${wanted} within 20 s`)), 20_000);
          const off = window.taskflow.watch((seen) => {
            // The status document follows the state.
            const isBehind = seen.state.kind === 'ready' && seen.status?.state !== 'ready';
            if (seen.state.kind !== wanted || isBehind) return;
            clearTimeout(deadline);
            off();
            resolve(seen);
          });
        }),
      kind,
    );
    return snapshot as Snapshot & {readonly state: Extract<SidecarState, {kind: K}>};
  }

  /** Start the sidecar anew; return how many times as long as later ones the page's first call takes, made at `ready`. */
  async firstAnswer(): Promise<number> {
    await this.page.evaluate(
      () =>
        new Promise<void>((onWatching) => {
          const took = new Promise<number>((resolve, reject) => {
            let wasGone = false;
            const off = window.taskflow.watch(({state}) => {
              onWatching();
              wasGone ||= state.kind !== 'ready';
              if (!wasGone || state.kind !== 'ready') return;
              off();
              void (async () => {
                const times: number[] = [];
                for (let calls = 0; calls < 10; calls += 1) {
                  const begun = performance.now();
                  const result = await window.taskflow.request({method: 'GET', path: '/api/v1/members'});
                  times.push(performance.now() - begun);
                  if (!result.ok || result.value.status !== 200) throw new Error(JSON.stringify(result));
                }
                const [first = NaN, ...later] = times;
                resolve(first / (later.sort((one, other) => one - other)[4] ?? NaN));
              })().catch(reject);
            });
          });
          Object.assign(window, {took});
        }),
    );
    await this.electron.evaluate(async () => {
      const {sidecar} = globalThis as unknown as {sidecar: Sidecar};
      await sidecar.stop();
      await sidecar.start();
    });
    return this.page.evaluate(() => (window as unknown as {took: Promise<number>}).took);
  }

  /** Wait until a stage of the start is under way. */
  async stage(name: string): Promise<void> {
    await this.page.evaluate(
      (wanted) =>
        new Promise<void>((resolve) => {
          window.taskflow.onStatus(({stages}) => {
            if (stages.some((stage) => stage.name === wanted && stage.state === 'running')) resolve();
          });
        }),
      name,
    );
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
