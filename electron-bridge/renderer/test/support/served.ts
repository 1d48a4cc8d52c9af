/** The real sidecar, started by hand as `scripts/run.py` does it, which serves the interface to a browser. */
import {spawn, spawnSync, type ChildProcess} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {sidecarPart} from '../../../test/support/parts.js';
import {until} from '../../../test/support/until.js';

export const command = sidecarPart();

export class Served {
  readonly home: string;
  readonly #variables: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  url = '';
  token = '';

  private constructor(home: string, variables: Readonly<Record<string, string>>) {
    this.home = home;
    this.#variables = variables;
  }

  static async start(variables: Readonly<Record<string, string>> = {}): Promise<Served> {
    const served = new Served(mkdtempSync(join(tmpdir(), 'taskflow-ui-')), variables);
    await served.startAgain();
    return served;
  }

  async startAgain(port = 0): Promise<void> {
    const [executable, ...words] = command.value ?? [];
    if (executable === undefined) throw new Error('there is no sidecar');
    this.#child = spawn(executable, [...words, 'serve', '--port', String(port)], {
      env: this.#environment(),
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    const file = join(this.home, 'config', 'sidecar.json');
    await until(() => existsSync(file), 60_000, 'the sidecar to listen');
    ({url: this.url, token: this.token} = JSON.parse(readFileSync(file, 'utf8')) as {url: string; token: string});
  }

  /** Run one of its commands beside it, such as `demo`. */
  run(...words: string[]): void {
    const [executable = '', ...start] = command.value ?? [];
    const {status, stderr} = spawnSync(executable, [...start, ...words], {env: this.#environment(), encoding: 'utf8'});
    if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  }

  /** Ask it something as the page does. */
  async ask(method: string, path: string, body?: unknown): Promise<{status: number; body: unknown}> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {'authorization': `Bearer ${this.token}`, 'content-type': 'application/json'},
      ...(body === undefined ? {} : {body: JSON.stringify(body)}),
    });
    const text = await answer.text();
    return {status: answer.status, body: text === '' ? null : (JSON.parse(text) as unknown)};
  }

  async ready(): Promise<void> {
    await until(async () => (await fetch(`${this.url}/health`)).ok, 60_000, 'the sidecar to be ready');
  }

  /** The address that opens the interface, as a browser gets it. */
  address(path = '', search = ''): string {
    return `${this.url}/${search}#token=${this.token}${path}`;
  }

  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
    rmSync(join(this.home, 'config', 'sidecar.json'), {force: true});
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.home, {recursive: true, force: true});
  }

  #environment(): NodeJS.ProcessEnv {
    const {PATH, LANG} = process.env;
    return {
      ...{PATH, LANG, HOME: this.home, TMPDIR: this.home},
      TASKFLOW_CONFIG_DIR: join(this.home, 'config'),
      ...this.#variables,
    };
  }
}
