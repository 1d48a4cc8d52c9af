/**
 * What main process, preload and renderer agree on: every IPC channel with its arguments and its result.
 *
 * No code that touches Node or Electron lives here, so all three sides may import it.
 */
import type {components, operations} from './openapi.js';

type Schemas = components['schemas'];

/** What is wrong, in the sidecar's own words: stable code, sentence, remedy, and who can fix it. */
export type Problem = Schemas['ProblemBody'];
/** One stage of the way to ready: config, key, credentials, connect, migrate, ready. */
export type Stage = Schemas['StageBody'];
/** `GET /api/v1/status`. */
export type SidecarStatus = Schemas['StatusDocument'];
/** States that a living sidecar reports. */
export type LivingState = SidecarStatus['state'];
/**
 * Body of the two connection calls: five fields and the optional ones, four with an `auth` that needs no password, or a
 * `dsn` whose gaps the fields fill.
 */
export type ConnectionInput =
  | Schemas['ConnectionSettings']
  | (Schemas['PasswordlessBody'] & Partial<Schemas['ConnectionSettings']>)
  | (Schemas['DsnBody'] & Partial<Schemas['ConnectionSettings']>);
/** How a connection is saved. */
export interface SaveOptions {
  /** Test it first, and save only what works. @default false */
  readonly test?: boolean | undefined;
}
/** The saved connection as it is read back: everything except the password. */
export type SavedConnection = Schemas['SavedConnection'];

/** How a sidecar process ended. */
export interface ExitReport {
  /** Exit status, or null when a signal ended the process or it could not be started. */
  readonly status: number | null;
  readonly signal: string | null;
  /** Last lines of its log, oldest first, without secrets. */
  readonly logTail: readonly string[];
}

/**
 * State of the sidecar as the app sees it.
 *
 * `starting`, `setup_required`, `ready`, `failed` and `reconnecting` come from a living sidecar, and carry its
 * address. The others are the bridge's own. In `failed`, `exit` tells the two apart: null while the sidecar lives
 * and waits for somebody to fix the problem; set when it is gone and was given up.
 */
export type SidecarState =
  | {readonly kind: 'launching'; readonly launch: number}
  | {
      readonly kind: 'starting';
      readonly baseUrl: string;
      readonly problem: Problem | null;
      /** The database is ready, and what answers calls still loads: a call made now is answered in a moment. */
      readonly takesCalls: boolean;
    }
  | {readonly kind: 'setup_required'; readonly baseUrl: string; readonly problem: Problem | null}
  | {readonly kind: 'ready'; readonly baseUrl: string}
  | {readonly kind: 'reconnecting'; readonly baseUrl: string; readonly problem: Problem | null}
  | {
      readonly kind: 'failed';
      readonly baseUrl: string | null;
      readonly problem: Problem;
      readonly exit: ExitReport | null;
    }
  | {
      readonly kind: 'restarting';
      readonly launch: number;
      readonly delayMs: number;
      readonly problem: Problem;
      readonly exit: ExitReport;
    }
  | {readonly kind: 'stopping'}
  | {readonly kind: 'stopped'; readonly forced: boolean};

/** Where the vault's key lives: in the system's secure store, or in the sidecar's own key file. */
export type CustodyReport =
  | {readonly kind: 'secure-store'; readonly backend: string}
  | {
      readonly kind: 'key-file';
      readonly reason: 'no-secure-store' | 'store-unreadable' | 'recovery-declined';
      readonly message: string;
    };

/** What a window needs to draw itself; sent at once on subscribing and again at each change. */
export interface Snapshot {
  readonly state: SidecarState;
  /** The last status document; null until the first one, and whenever no sidecar lives. */
  readonly status: SidecarStatus | null;
  readonly custody: CustodyReport | null;
}

/** Why a call did not succeed. `code` is stable, `message` is one sentence for a person. */
export interface CallError {
  readonly code: string;
  readonly message: string;
  /** HTTP status of the sidecar's answer; null when there was none. */
  readonly status: number | null;
}

/** Calls over IPC answer with a value: errors thrown across a context bridge lose their code. */
export type Result<T> = {readonly ok: true; readonly value: T} | {readonly ok: false; readonly error: CallError};

type HeadersOf<Operation> = Operation extends {parameters: {header?: infer Headers}} ? NonNullable<Headers> : never;
type NamesOf<Headers> = Headers extends unknown ? Extract<keyof Headers, string> : never;

/** Every request header that the sidecar's OpenAPI document names, and the two that tell what a body is. */
export type RequestHeaderName = NamesOf<HeadersOf<operations[keyof operations]>> | 'Accept' | 'Content-Type';

/** Request headers that pass from a page, by their lower-case names. A header that the sidecar gains must be added. */
export const REQUEST_HEADERS = {
  'accept': 'Accept',
  'content-type': 'Content-Type',
  'idempotency-key': 'Idempotency-Key',
  'if-match': 'If-Match',
  'last-event-id': 'Last-Event-ID',
} as const satisfies {readonly [N in RequestHeaderName as Lowercase<N>]: N};

/** Request headers of one call, by their lower-case names. */
export type RequestHeaders = {readonly [N in keyof typeof REQUEST_HEADERS]?: string | undefined};

/** The parts of a test of a connection, in their order: name, way to the server, TLS and login, a first query. */
export const TEST_PHASES = ['lookup', 'reach', 'login', 'query'] as const;

/** What a test of a connection found that works. */
export interface ConnectionTest {
  readonly serverVersion: string | null;
  /** Version of TLS; null without. */
  readonly encryption: string | null;
  /** How long each part took; those are left out that cannot be told. */
  readonly phases: readonly {readonly name: (typeof TEST_PHASES)[number]; readonly ms: number}[];
}

/** An HTTP call that a renderer asks the main process to make. The token is added there. */
export interface ForwardedRequest {
  readonly method: string;
  /** Path below the sidecar's address, with the query if there is one. */
  readonly path: string;
  /** JSON text, unless `content-type` says otherwise. */
  readonly body?: string | undefined;
  readonly headers?: RequestHeaders | undefined;
  /** A name of the page's own choice for this call, to `cancel` it by while it runs. */
  readonly id?: string | undefined;
}

/** The answer to a `ForwardedRequest`. */
export interface ForwardedAnswer {
  readonly status: number;
  /** Lower-case names; only those listed in `FORWARDED_HEADERS`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * One change in the team's work, made by this desktop or another. `resync` stands for changes that nobody can name
 * (the first contact, another database, a long absence): read everything anew.
 */
export type Change =
  | {
      readonly resource: 'member' | 'task' | 'sub_task' | 'daily_update' | 'vault_device';
      readonly id: string;
      readonly change: 'created' | 'updated' | 'deleted';
      /** Where to go on from after this change. */
      readonly lastEventId: string | null;
    }
  | {readonly resource: '*'; readonly change: 'resync'; readonly lastEventId: string | null};

/** Name of the object that `exposeSidecar()` puts on `window`. */
export const EXPOSED_NAME = 'taskflow';

/** Response headers that reach a renderer. */
export const FORWARDED_HEADERS = ['content-type', 'etag', 'link', 'retry-after', 'taskflow-error-code'] as const;

interface Call<Args extends readonly unknown[], Value> {
  readonly args: Args;
  readonly value: Value;
}

/** Renderer asks, main process answers (`invoke` and `handle`). */
export interface InvokeContract {
  /** Begin to receive `snapshot` announcements; answers with the present one. */
  subscribe: Call<[], Snapshot>;
  /** Stop receiving them. */
  unsubscribe: Call<[], null>;
  /** Begin to receive `change` announcements. */
  subscribeChanges: Call<[], null>;
  /** Stop receiving them. */
  unsubscribeChanges: Call<[], null>;
  /** Re-run the sidecar's start-up pipeline now. */
  retry: Call<[], null>;
  /** Start the sidecar again after it was given up. */
  startAgain: Call<[], null>;
  /** The saved connection, or null when none is saved. */
  readConnection: Call<[], SavedConnection | null>;
  /** Try a connection; nothing is saved. */
  testConnection: Call<[settings: ConnectionInput], ConnectionTest>;
  /** Save a connection; the sidecar then uses it at once. With `test`, it is saved only if it works. */
  saveConnection: Call<[settings: ConnectionInput, options?: SaveOptions], null>;
  /** Forget the saved connection. */
  deleteConnection: Call<[], null>;
  /** Write a support archive, without secrets, where the person says; false when they choose nowhere. */
  saveSupportBundle: Call<[], boolean>;
  /** Open a locked vault with the recovery key. */
  recover: Call<[recoveryKey: string], null>;
  /** Any other call that the main process allows. */
  request: Call<[request: ForwardedRequest], ForwardedAnswer>;
  /** Give up a `request` that still runs, by its `id`; its connection is closed. */
  cancel: Call<[id: string], null>;
}

/** Main process announces, renderer listens (`send` and `on`). */
export interface AnnounceContract {
  snapshot: Snapshot;
  change: Change;
}

export type InvokeName = keyof InvokeContract;
export type AnnounceName = keyof AnnounceContract;
export type Args<N extends InvokeName> = InvokeContract[N]['args'];
export type Value<N extends InvokeName> = InvokeContract[N]['value'];

/** Channel names. The mapped type makes a missing or an extra channel a compile error. */
export const INVOKE_CHANNELS = {
  subscribe: 'taskflow:subscribe',
  unsubscribe: 'taskflow:unsubscribe',
  subscribeChanges: 'taskflow:subscribeChanges',
  unsubscribeChanges: 'taskflow:unsubscribeChanges',
  retry: 'taskflow:retry',
  startAgain: 'taskflow:startAgain',
  readConnection: 'taskflow:readConnection',
  testConnection: 'taskflow:testConnection',
  saveConnection: 'taskflow:saveConnection',
  deleteConnection: 'taskflow:deleteConnection',
  saveSupportBundle: 'taskflow:saveSupportBundle',
  recover: 'taskflow:recover',
  request: 'taskflow:request',
  cancel: 'taskflow:cancel',
} as const satisfies {readonly [N in InvokeName]: `taskflow:${N}`};

export const ANNOUNCE_CHANNELS = {
  snapshot: 'taskflow:snapshot',
  change: 'taskflow:change',
} as const satisfies {readonly [N in AnnounceName]: `taskflow:${N}`};

/** Calls that `watch` and `onChange` make by themselves. */
export type SubscriptionName = 'subscribe' | 'unsubscribe' | 'subscribeChanges' | 'unsubscribeChanges';

/** The functions of `InvokeContract` as a renderer calls them. */
export type InvokeApi = {
  readonly [N in Exclude<InvokeName, SubscriptionName>]: (...args: Args<N>) => Promise<Result<Value<N>>>;
};

/** What `exposeSidecar()` puts on `window`: functions and plain data, never the token, never `ipcRenderer`. */
export interface SidecarApi extends InvokeApi {
  /** Call `listener` now and at each change, until the returned function is called. */
  readonly watch: (listener: (snapshot: Snapshot) => void) => () => void;
  /** Call `listener` with each new status document, the present one first, until the returned function is called. */
  readonly onStatus: (listener: (status: SidecarStatus) => void) => () => void;
  /**
   * Call `listener` at each change of the team's work, until the returned function is called. The first call is a
   * `resync` as soon as the stream stands; from then on nothing is missed, also across restarts of sidecar and database.
   */
  readonly onChange: (listener: (change: Change) => void) => () => void;
  /**
   * Where a file lies that the person has just chosen in an `<input type="file">`; empty for one that is on no disk.
   * Only for settings that name a file: what is in it stays unread.
   */
  // eslint-disable-next-line n/no-unsupported-features/node-builtins -- a page's, not Node's
  readonly pathOf: (file: File) => string;
}
