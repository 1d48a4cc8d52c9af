/** A packaged app, started as a person starts it. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {onTestFinished} from 'vitest';
import {DebuggedPage, debuggingAddress} from './debugged.js';
import {descendants, isAlive} from './processes.js';
import {until} from './until.js';

const SWITCHES = ['--no-sandbox', '--disable-gpu', '--lang=en', '--remote-debugging-port=0'];

export class Packaged {
  readonly page: DebuggedPage;
  /** The commands of the processes that it started. */
  readonly commands: readonly string[];
  readonly #said: () => string;
  readonly #close: () => Promise<number | null>;

  private constructor(
    page: DebuggedPage,
    commands: readonly string[],
    said: () => string,
    close: () => Promise<number | null>,
  ) {
    this.page = page;
    this.commands = commands;
    this.#said = said;
    this.#close = close;
  }

  /** Start it, and wait until a text can be read in its window. */
  static async until(text: string, executable: string, data: string, env: NodeJS.ProcessEnv): Promise<Packaged> {
    const child = spawn(executable, [...SWITCHES, `--user-data-dir=${data}`], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const page = await DebuggedPage.of(await debuggingAddress(child));
    await page.shows(text);
    const family = descendants(child.pid ?? 0);
    const close = async (): Promise<number | null> => {
      const ended = once(child, 'exit') as Promise<[number | null]>;
      await page.run('window.close()').catch(() => undefined);
      const [status] = await ended;
      await until(() => !family.some(({pid}) => isAlive(pid)), 10_000, 'every process to end');
      return status;
    };
    return new Packaged(
      page,
      family.map(({command}) => command),
      () => said,
      close,
    );
  }

  /** What its main process has printed so far. */
  get said(): string {
    return this.#said();
  }

  /** Close the window and wait for the end of every process; the exit status. */
  close(): Promise<number | null> {
    return this.#close();
  }
}
