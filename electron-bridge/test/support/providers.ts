/** The AI providers of the Python tests, run for a sidecar of the bridge's. */
import {spawn, type ChildProcess} from 'node:child_process';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'providers_server.py');

interface Told {
  readonly environment: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<'good' | 'better' | 'bad' | 'unreachable', string>>;
}

export class Providers {
  /** Variables that make a sidecar take these for the real ones. */
  readonly environment: Told['environment'];
  /** Keys for OpenAI, by what becomes of them. */
  readonly keys: Told['keys'];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, told: Told) {
    this.#child = child;
    this.environment = told.environment;
    this.keys = told.keys;
  }

  static async start(python: string): Promise<Providers> {
    const child = spawn(python, [SCRIPT], {stdio: ['pipe', 'pipe', 'inherit']});
    for await (const line of createInterface({input: child.stdout}))
      return new Providers(child, JSON.parse(line) as Told);
    throw new Error('the providers of the tests ended; the reason stands above');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin?.end();
    await ended;
  }
}
