/** A page of a program that was not started by Playwright, through Chromium's debugging protocol. */
import type {ChildProcess} from 'node:child_process';
import {WebSocket} from 'undici';
import {until} from './until.js';

interface Reply {
  readonly id?: number;
  readonly result?: {
    readonly result: {readonly value?: unknown};
    readonly exceptionDetails?: {readonly exception?: {readonly description?: string}};
  };
}

export class DebuggedPage {
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, (reply: Reply) => void>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({data}) => {
      const reply = JSON.parse(String(data)) as Reply;
      const answered = this.#asked.get(reply.id ?? 0);
      this.#asked.delete(reply.id ?? 0);
      answered?.(reply);
    });
    socket.addEventListener('close', () => this.#asked.forEach((answered) => answered({})));
  }

  /**
   * The first page.
   *
   * @param browser what Chromium printed: `ws://127.0.0.1:PORT/...`
   */
  static async of(browser: string): Promise<DebuggedPage> {
    const list = `http://${new URL(browser).host}/json/list`;
    const target = await until(
      async () => {
        const targets = (await (await fetch(list)).json()) as {
          type: string;
          url: string;
          webSocketDebuggerUrl: string;
        }[];
        return targets.find(({type, url}) => type === 'page' && url.startsWith('file:'));
      },
      20_000,
      'the page',
    );
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('the page cannot be spoken to')));
    });
    return new DebuggedPage(socket);
  }

  /** The value of an expression, or of the promise that it is. */
  run(expression: string): Promise<unknown> {
    const id = ++this.#count;
    const value = new Promise<unknown>((resolve, reject) => {
      this.#asked.set(id, ({result}) => {
        if (result === undefined) reject(new Error('the page was closed'));
        else if (result.exceptionDetails !== undefined)
          reject(new Error(result.exceptionDetails.exception?.description ?? 'an exception'));
        else resolve(result.result.value);
      });
    });
    const params = {expression, awaitPromise: true, returnByValue: true};
    this.#socket.send(JSON.stringify({id, method: 'Runtime.evaluate', params}));
    return value;
  }

  /** Press the button with a text, once it is there. */
  async click(text: string): Promise<void> {
    const button = `[...document.querySelectorAll('button')].find((each) => each.textContent.includes(${JSON.stringify(text)}))`;
    await until(
      async () => (await this.run(`((found) => { found?.click(); return found !== undefined; })(${button})`)) === true,
      20_000,
      text,
    );
  }

  /** Wait until a text can be read. */
  async shows(text: string): Promise<void> {
    const sought = JSON.stringify(text);
    await until(async () => (await this.run(`document.body?.innerText.includes(${sought})`)) === true, 20_000, text);
  }
}

/** Where Chromium can be spoken to, as it says itself. */
export function debuggingAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => reject(new Error(`ended: ${said}`)));
  });
}
