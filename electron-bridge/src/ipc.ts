/** The main process's side of the contract: validates what arrives, calls the sidecar, announces its state. */
import {
  ANNOUNCE_CHANNELS,
  FORWARDED_HEADERS,
  INVOKE_CHANNELS,
  type CallError,
  type ForwardedAnswer,
  type InvokeName,
  type Result,
  type SavedConnection,
  type Snapshot,
  type Value,
} from './contract.js';
import {SidecarError} from './problems.js';
import type {Answer} from './endpoint.js';
import type {Sidecar} from './sidecar.js';
import {Invalid, connectionInput, forwardedRequest, nothing, shortText} from './validation.js';

/** The part of Electron's `WebContents` that is used. */
export interface SenderLike {
  readonly id: number;
  isDestroyed(): boolean;
  send(channel: string, ...args: unknown[]): void;
  once(event: 'destroyed', listener: () => void): unknown;
}

/** The part of Electron's `IpcMainInvokeEvent` that is used. */
export interface InvokeEventLike {
  readonly sender: SenderLike;
  readonly senderFrame: {readonly url: string; readonly parent: unknown} | null;
}

/** The part of Electron's `ipcMain` that is used. */
export interface IpcMainLike {
  handle(channel: string, listener: (event: InvokeEventLike, ...args: unknown[]) => unknown): void;
  removeHandler(channel: string): void;
}

export interface SidecarIpcOptions {
  /**
   * Origins whose top frames may call, besides `file:` pages: `app://taskflow`, or `http://localhost:5173` while
   * developing. @default []
   */
  readonly trustedOrigins?: readonly string[] | undefined;
  /**
   * Which calls a renderer may have forwarded. Connection settings have functions of their own.
   * @default the team's work: members and tasks
   */
  readonly allowRequest?: ((call: {readonly method: string; readonly path: string}) => boolean) | undefined;
}

type Handlers = {
  readonly [N in InvokeName]: (sender: SenderLike, args: readonly unknown[]) => Promise<Value<N>> | Value<N>;
};

const JSON_HEADERS = {'Content-Type': 'application/json'} as const;

function isTeamWork({path}: {readonly path: string}): boolean {
  return /^\/api\/v1\/(members|tasks)(\/|$)/.test(path);
}

/**
 * Answer every channel of the contract.
 *
 * @returns a function that takes all of it back.
 */
export function registerSidecarIpc(
  ipcMain: IpcMainLike,
  sidecar: Sidecar,
  options: SidecarIpcOptions = {},
): () => void {
  const {trustedOrigins = [], allowRequest = isTeamWork} = options;
  const watchers = new Watchers();
  const stopWatching = sidecar.on('snapshot', (snapshot) => watchers.announce(snapshot));
  const handlers = handlersFor(sidecar, watchers, allowRequest);
  const names = Object.keys(INVOKE_CHANNELS) as InvokeName[];
  for (const name of names) {
    ipcMain.handle(INVOKE_CHANNELS[name], (event: InvokeEventLike, ...args: unknown[]) =>
      answer(isTrusted(event, trustedOrigins), () => handlers[name](event.sender, args)),
    );
  }
  return () => {
    stopWatching();
    names.forEach((name) => ipcMain.removeHandler(INVOKE_CHANNELS[name]));
  };
}

function handlersFor(
  sidecar: Sidecar,
  watchers: Watchers,
  allowRequest: NonNullable<SidecarIpcOptions['allowRequest']>,
): Handlers {
  const post = (path: string, body?: unknown): Promise<Answer> =>
    sidecar.ask({
      method: 'POST',
      path,
      ...(body === undefined ? {} : {headers: JSON_HEADERS, body: JSON.stringify(body)}),
    });
  const done = async (call: Promise<Answer>): Promise<null> => {
    succeeded(await call);
    return null;
  };
  return {
    subscribe(sender, args) {
      nothing(args);
      watchers.add(sender);
      return sidecar.snapshot;
    },
    unsubscribe(sender, args) {
      nothing(args);
      watchers.remove(sender);
      return null;
    },
    retry(_sender, args) {
      nothing(args);
      return done(post('/api/v1/settings/retry'));
    },
    async startAgain(_sender, args) {
      nothing(args);
      await sidecar.start();
      return null;
    },
    async readConnection(_sender, args) {
      nothing(args);
      const reply = await sidecar.ask({method: 'GET', path: '/api/v1/settings/connection'});
      return reply.status === 404 ? null : (JSON.parse(succeeded(reply).body) as SavedConnection);
    },
    testConnection: (_sender, args) => done(post('/api/v1/settings/test-connection', connectionInput(args))),
    saveConnection: (_sender, args) => done(post('/api/v1/settings/save-connection', connectionInput(args))),
    deleteConnection(_sender, args) {
      nothing(args);
      return done(sidecar.ask({method: 'DELETE', path: '/api/v1/settings/connection'}));
    },
    async recover(_sender, args) {
      await sidecar.recover(shortText(args));
      return null;
    },
    async request(_sender, args): Promise<ForwardedAnswer> {
      const {method, path, body, ifMatch} = forwardedRequest(args);
      const [pathname = ''] = path.split('?');
      if (!allowRequest({method, path: pathname}))
        throw new Invalid('This call is not allowed from a window', 'forbidden');
      const headers = {
        ...(body === undefined ? {} : JSON_HEADERS),
        ...(ifMatch === undefined ? {} : {'If-Match': ifMatch}),
      };
      const reply = await sidecar.ask({method, path, headers, body});
      return {status: reply.status, headers: forwardedHeaders(reply), body: reply.body};
    },
  };
}

/** Windows that want snapshots; each leaves by itself when it is destroyed. */
class Watchers {
  readonly #senders = new Map<number, SenderLike>();

  add(sender: SenderLike): void {
    if (this.#senders.has(sender.id)) return;
    this.#senders.set(sender.id, sender);
    sender.once('destroyed', () => this.#senders.delete(sender.id));
  }

  remove(sender: SenderLike): void {
    this.#senders.delete(sender.id);
  }

  announce(snapshot: Snapshot): void {
    for (const sender of this.#senders.values()) {
      if (!sender.isDestroyed()) sender.send(ANNOUNCE_CHANNELS.snapshot, snapshot);
    }
  }
}

async function answer<T>(isTrustedSender: boolean, handle: () => Promise<T> | T): Promise<Result<T>> {
  try {
    if (!isTrustedSender) throw new Invalid('This page may not talk to the sidecar', 'forbidden');
    return {ok: true, value: await handle()};
  } catch (error) {
    return {ok: false, error: callError(error)};
  }
}

/** Top frames of the app's own pages only. */
function isTrusted({senderFrame}: InvokeEventLike, trustedOrigins: readonly string[]): boolean {
  if (senderFrame === null || (senderFrame.parent !== null && senderFrame.parent !== undefined)) return false;
  let url: URL;
  try {
    url = new URL(senderFrame.url);
  } catch {
    return false;
  }
  // Not `url.origin`: that is "null" for schemes of an app's own.
  return (url.protocol === 'file:' && url.host === '') || trustedOrigins.includes(`${url.protocol}//${url.host}`);
}

class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor({status, headers, body}: Answer) {
    super(errorSentence(body));
    this.status = status;
    this.code = headers['taskflow-error-code'] ?? 'unknown';
  }
}

function succeeded(reply: Answer): Answer {
  if (reply.status < 200 || reply.status >= 300) throw new Refused(reply);
  return reply;
}

/** The sidecar's errors are `{"error": "<one sentence>"}`. */
function errorSentence(body: string): string {
  try {
    const {error} = JSON.parse(body) as {error?: unknown};
    if (typeof error === 'string') return error;
  } catch {
    // not JSON
  }
  return 'The sidecar gave an answer that cannot be read.';
}

function callError(error: unknown): CallError {
  if (error instanceof Refused || error instanceof Invalid) {
    return {code: error.code, message: error.message, status: error instanceof Refused ? error.status : null};
  }
  if (error instanceof SidecarError) return {code: error.code, message: error.message, status: null};
  return {code: 'internal', message: 'Something unexpected went wrong.', status: null};
}

function forwardedHeaders({headers}: Answer): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const name of FORWARDED_HEADERS) {
    const value = headers[name];
    if (value !== undefined) forwarded[name] = value;
  }
  return forwarded;
}
