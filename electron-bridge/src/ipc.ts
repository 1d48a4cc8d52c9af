/** The main process's side of the contract: validates what arrives, calls the sidecar, announces its state. */
import {
  ANNOUNCE_CHANNELS,
  FORWARDED_HEADERS,
  INVOKE_CHANNELS,
  REQUEST_HEADERS,
  type AnnounceContract,
  type AnnounceName,
  type CallError,
  type Change,
  type ForwardedAnswer,
  type InvokeName,
  type Result,
  type SavedConnection,
  type RequestHeaders,
  type Value,
} from './contract.js';
import {isAllowedByDefault, type RequestedCall} from './allowed.js';
import {devServerOrigins, originOf} from './development.js';
import {askForBundleFile} from './dialogs.js';
import {SidecarError} from './problems.js';
import {connectionTest} from './tested.js';
import type {Answer} from './endpoint.js';
import type {Sidecar} from './sidecar.js';
import {Invalid, callId, connectionInput, forwardedRequest, nothing, savingInput, shortText} from './validation.js';

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
   * developing. @default [], and the dev server's that `ELECTRON_RENDERER_URL` or `VITE_DEV_SERVER_URL` names while
   * the app is not packaged
   */
  readonly trustedOrigins?: readonly string[] | undefined;
  /**
   * Which calls a renderer may have forwarded. Connection settings have functions of their own.
   * @default what the interface needs; nothing that answers with a key or a token, see `isAllowedByDefault`
   */
  readonly allowRequest?: ((call: RequestedCall) => boolean) | undefined;
  /**
   * Ask the person where a support archive is to be written; null when nowhere. Never asked of the page.
   * @default Electron's dialog for saving
   */
  readonly chooseBundleFile?: (() => Promise<string | null>) | undefined;
}

type Handlers = {
  readonly [N in InvokeName]: (sender: SenderLike, args: readonly unknown[]) => Promise<Value<N>> | Value<N>;
};

const JSON_HEADERS = {'Content-Type': 'application/json'} as const;

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
  const {allowRequest = isAllowedByDefault, chooseBundleFile = askForBundleFile} = options;
  const senders = new Senders([...(options.trustedOrigins ?? []), ...devServerOrigins()]);
  const snapshots = new Watchers('snapshot');
  const stopWatching = sidecar.on(
    'snapshot',
    onceATurn((snapshot) => snapshots.announce(snapshot)),
  );
  const changes = new ChangeWatchers(sidecar);
  const handlers = handlersFor(sidecar, snapshots, changes, allowRequest, chooseBundleFile);
  const names = Object.keys(INVOKE_CHANNELS) as InvokeName[];
  for (const name of names) {
    ipcMain.handle(INVOKE_CHANNELS[name], (event: InvokeEventLike, ...args: unknown[]) =>
      answer(() => {
        senders.check(event);
        return handlers[name](event.sender, args);
      }),
    );
  }
  return () => {
    stopWatching();
    changes.end();
    names.forEach((name) => ipcMain.removeHandler(INVOKE_CHANNELS[name]));
  };
}

function handlersFor(
  sidecar: Sidecar,
  snapshots: Watchers<'snapshot'>,
  changes: ChangeWatchers,
  allowRequest: NonNullable<SidecarIpcOptions['allowRequest']>,
  chooseBundleFile: NonNullable<SidecarIpcOptions['chooseBundleFile']>,
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
  const running = new RunningCalls();
  return {
    subscribe(sender, args) {
      nothing(args);
      snapshots.add(sender);
      return sidecar.snapshot;
    },
    unsubscribe(sender, args) {
      nothing(args);
      snapshots.remove(sender);
      return null;
    },
    subscribeChanges(sender, args) {
      nothing(args);
      changes.add(sender);
      return null;
    },
    unsubscribeChanges(sender, args) {
      nothing(args);
      changes.remove(sender);
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
    async testConnection(_sender, args) {
      const reply = await post('/api/v1/settings/test-connection', connectionInput(args));
      return connectionTest(succeeded(reply).headers['server-timing']);
    },
    saveConnection(_sender, args) {
      const {settings, test} = savingInput(args);
      return done(post(`/api/v1/settings/save-connection${test ? '?test=true' : ''}`, settings));
    },
    deleteConnection(_sender, args) {
      nothing(args);
      return done(sidecar.ask({method: 'DELETE', path: '/api/v1/settings/connection'}));
    },
    async saveSupportBundle(_sender, args) {
      nothing(args);
      const file = await chooseBundleFile();
      if (file === null) return false;
      await sidecar.writeSupportBundle(file);
      return true;
    },
    async recover(_sender, args) {
      await sidecar.recover(shortText(args));
      return null;
    },
    async request(sender, args): Promise<ForwardedAnswer> {
      const {method, path, body, headers, id} = forwardedRequest(args);
      const [pathname = ''] = path.split('?');
      if (!allowRequest({method, path: pathname}))
        throw new Invalid('This call is not allowed from a window', 'forbidden');
      const reply = await running.during(sender, id, (signal) =>
        sidecar.ask({method, path, headers: requestHeaders(headers, body), body, signal}),
      );
      return {status: reply.status, headers: forwardedHeaders(reply), body: reply.body};
    },
    cancel(sender, args) {
      running.cancel(sender, callId(args));
      return null;
    },
  };
}

/** Do it with the last of the values that come in one turn of the event loop: windows draw themselves for each. */
function onceATurn<T>(act: (value: T) => void): (value: T) => void {
  let last: {readonly value: T} | null = null;
  return (value) => {
    if (last === null)
      queueMicrotask(() => {
        const due = last;
        last = null;
        if (due !== null) act(due.value);
      });
    last = {value};
  };
}

/** Calls of windows that still run, so that each window can give up its own. */
class RunningCalls {
  readonly #calls = new Map<string, AbortController>();

  /** Make a call; it is given up when its window cancels it. */
  async during<T>(
    {id: senderId}: SenderLike,
    id: string | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const abort = new AbortController();
    if (id === undefined) return call(abort.signal);
    const name = `${senderId} ${id}`;
    if (this.#calls.has(name)) throw new Invalid('id: another call has this one');
    this.#calls.set(name, abort);
    try {
      return await call(abort.signal);
    } finally {
      this.#calls.delete(name);
    }
  }

  cancel({id: senderId}: SenderLike, id: string): void {
    this.#calls.get(`${senderId} ${id}`)?.abort();
  }
}

/** Windows that want announcements of one kind; each leaves by itself when it is destroyed. */
class Watchers<N extends AnnounceName> {
  readonly #channel: string;
  readonly #senders = new Map<number, SenderLike>();

  constructor(name: N) {
    this.#channel = ANNOUNCE_CHANNELS[name];
  }

  get count(): number {
    return this.#senders.size;
  }

  add(sender: SenderLike): void {
    if (this.#senders.has(sender.id)) return;
    this.#senders.set(sender.id, sender);
    sender.once('destroyed', () => this.remove(sender));
  }

  remove(sender: SenderLike): void {
    this.#senders.delete(sender.id);
  }

  announce(value: AnnounceContract[N]): void {
    for (const sender of this.#senders.values()) this.tell(sender, value);
  }

  protected tell(sender: SenderLike, value: AnnounceContract[N]): void {
    if (!sender.isDestroyed()) sender.send(this.#channel, value);
  }
}

/** Windows that want the team's changes: one stream for all of them, and none while there are none. */
class ChangeWatchers extends Watchers<'change'> {
  readonly #sidecar: Pick<Sidecar, 'events'>;
  #following: AbortController | null = null;
  /** What the stream has told last; null until it stands. */
  #last: Change | null = null;

  constructor(sidecar: Pick<Sidecar, 'events'>) {
    super('change');
    this.#sidecar = sidecar;
  }

  override add(sender: SenderLike): void {
    super.add(sender);
    if (this.#following === null) {
      this.#following = new AbortController();
      void this.#follow(this.#following.signal);
    } else if (this.#last !== null) {
      // Whoever joins a stream that stands begins as the others did.
      this.tell(sender, {resource: '*', change: 'resync', lastEventId: this.#last.lastEventId});
    }
  }

  override remove(sender: SenderLike): void {
    super.remove(sender);
    if (this.count === 0) this.end();
  }

  end(): void {
    this.#following?.abort();
    this.#following = null;
    this.#last = null;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const change of this.#sidecar.events({signal})) {
      if (signal.aborted) return;
      this.#last = change;
      this.announce(change);
    }
  }
}

function requestHeaders(headers: RequestHeaders = {}, body: string | undefined): Record<string, string> {
  const sent: Record<string, string> = body === undefined ? {} : {...JSON_HEADERS};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) sent[REQUEST_HEADERS[name as keyof RequestHeaders]] = value;
  }
  return sent;
}

async function answer<T>(handle: () => Promise<T> | T): Promise<Result<T>> {
  try {
    return {ok: true, value: await handle()};
  } catch (error) {
    return {ok: false, error: callError(error)};
  }
}

/** Whose calls are answered: top frames of the app's own pages only. */
class Senders {
  readonly #trusted: readonly string[];
  readonly #told = new Set<string>();

  constructor(trusted: readonly string[]) {
    this.#trusted = trusted;
  }

  /** Let a trusted page pass; a page of another origin is told, and the log of the main process once. */
  check({senderFrame}: InvokeEventLike): void {
    if (senderFrame === null || (senderFrame.parent !== null && senderFrame.parent !== undefined))
      throw new Invalid('Only the top frame of a window may talk to the sidecar', 'forbidden');
    const origin = originOf(senderFrame.url) ?? 'unknown';
    if (origin === 'file://' || this.#trusted.includes(origin)) return;
    const sentence = `A page of the origin ${origin} may not talk to the sidecar: name it in trustedOrigins`;
    if (!this.#told.has(origin)) console.warn(`[taskflow] ${sentence} of registerSidecarIpc.`);
    this.#told.add(origin);
    throw new Invalid(sentence, 'untrusted-origin');
  }
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
