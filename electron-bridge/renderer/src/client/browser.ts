/** The transport of a page that the sidecar served: HTTP to where it came from, with the token of the address. */
import {clientOver, type ClientAnswer, type ClientCall} from '../../../src/client.js';
import {connectionTest} from '../../../src/tested.js';
import {Refused, Unreachable, isTransient, taken, takenHeader} from './failure.js';
import {pause, serverEvents, type ServerEvent} from './events.js';
import type {CallError, Change, Platform, Problem, Result, SidecarStatus, Snapshot} from './platform.js';

const TOKEN = 'taskflow.token';
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;
/** A stream that breaks is no news for so long: the sidecar may be restarting. */
const PATIENCE_MS = 600;

/** Take the token out of the address, where it would be seen and kept, into the session of this tab. */
export function takeToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) {
    sessionStorage.setItem(TOKEN, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(TOKEN) ?? '';
}

export function browserPlatform(token: string): Platform {
  const headers: Record<string, string> = token === '' ? {} : {authorization: `Bearer ${token}`};
  const send = async (call: ClientCall): Promise<ClientAnswer> => {
    try {
      const answer = await fetch(call.path, {
        method: call.method,
        headers: {...call.headers, ...headers},
        body: call.body,
        signal: call.signal,
        cache: 'no-store',
      });
      const body = await answer.text();
      return {status: answer.status, headers: Object.fromEntries(answer.headers), body};
    } catch (error) {
      if (call.signal?.aborted === true) throw error;
      throw new Unreachable('The sidecar did not answer.');
    }
  };
  const client = clientOver(send);
  const stream = (path: string, lastEventId: string | null, signal: AbortSignal): AsyncGenerator<ServerEvent> =>
    opened(path, {...headers, ...(lastEventId === null ? {} : {'last-event-id': lastEventId})}, signal);

  return {
    kind: 'browser',
    client,
    watch: (listener) => running((signal) => followStatus(stream, listener, signal)),
    onChange: (listener) => running((signal) => followChanges(stream, listener, signal)),
    retry: () => settled(taken(client.POST('/api/v1/settings/retry'))),
    startAgain: null,
    pathOf: null,
    async saveSupportBundle() {
      try {
        const {file_name: name, content} = await taken(client.GET('/api/v1/settings/support-archive'));
        handOver(new Blob([bytesOf(content)], {type: 'application/zip'}), name);
        return {ok: true, value: true};
      } catch (error) {
        return {ok: false, error: callError(error)};
      }
    },
    async readConnection() {
      try {
        return {ok: true, value: await taken(client.GET('/api/v1/settings/connection'))};
      } catch (error) {
        if (error instanceof Refused && error.status === 404) return {ok: true, value: null};
        return {ok: false, error: callError(error)};
      }
    },
    async testConnection(body) {
      try {
        const found = await takenHeader(client.POST('/api/v1/settings/test-connection', {body}), 'server-timing');
        return {ok: true, value: connectionTest(found)};
      } catch (error) {
        return {ok: false, error: callError(error)};
      }
    },
    saveConnection: (body, {test = false} = {}) =>
      settled(
        taken(
          client.POST('/api/v1/settings/save-connection', {
            body,
            params: {query: test ? {test: 'true'} : {}},
          }),
        ),
      ),
    deleteConnection: () => settled(taken(client.DELETE('/api/v1/settings/connection'))),
  };
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Have the browser keep a file where it keeps what is downloaded. */
function handOver(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function running(follow: (signal: AbortSignal) => Promise<void>): () => void {
  const leaving = new AbortController();
  void follow(leaving.signal);
  return () => leaving.abort();
}

async function settled(call: Promise<unknown>): Promise<Result<null>> {
  try {
    await call;
    return {ok: true, value: null};
  } catch (error) {
    return {ok: false, error: callError(error)};
  }
}

function callError(error: unknown): CallError {
  if (error instanceof Refused) return {code: error.code, message: error.message, status: error.status};
  return {code: 'unreachable', message: error instanceof Error ? error.message : '', status: null};
}

async function* opened(
  path: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  let answer: Response;
  try {
    answer = await fetch(path, {headers: {...headers, accept: 'text/event-stream'}, signal, cache: 'no-store'});
  } catch {
    throw new Unreachable('The sidecar did not answer.');
  }
  if (answer.status === 401) throw new Refused(401, 'unauthorized', '');
  if (!answer.ok || answer.body === null) throw new Refused(answer.status, 'unknown', '');
  yield* serverEvents(answer.body);
}

type Open = (path: string, lastEventId: string | null, signal: AbortSignal) => AsyncGenerator<ServerEvent>;

/** Tell every status document; and when none comes any more, that the sidecar is away. */
async function followStatus(open: Open, listener: (snapshot: Snapshot) => void, signal: AbortSignal): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const away = (code: 'unreachable' | 'unauthorized'): void => {
    if (!signal.aborted) listener({state: gone(code), status: null, custody: null});
  };
  while (!signal.aborted) {
    try {
      for await (const {data} of open('/api/v1/status/events', null, signal)) {
        clearTimeout(timer);
        timer = undefined;
        pauseMs = FIRST_PAUSE_MS;
        if (data !== null) listener(snapshotOf(JSON.parse(data) as SidecarStatus));
      }
    } catch (error) {
      if (error instanceof Refused && error.status === 401) away('unauthorized');
    }
    timer ??= setTimeout(() => away('unreachable'), PATIENCE_MS);
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
  clearTimeout(timer);
}

function snapshotOf(status: SidecarStatus): Snapshot {
  const baseUrl = location.origin;
  const {state, problem} = status;
  if (state === 'ready') return {state: {kind: 'ready', baseUrl}, status, custody: null};
  if (state === 'failed' && problem !== null)
    return {state: {kind: 'failed', baseUrl, problem, exit: null}, status, custody: null};
  if (state === 'failed' || state === 'starting')
    return {state: {kind: 'starting', baseUrl, problem, takesCalls: false}, status, custody: null};
  return {state: {kind: state, baseUrl, problem}, status, custody: null};
}

function gone(code: 'unreachable' | 'unauthorized'): Snapshot['state'] {
  const problem: Problem = {
    code,
    message: '',
    remedy: '',
    retryable: code === 'unreachable',
    who: 'you',
    since: new Date().toISOString(),
    next_retry_in_s: null,
  };
  return {kind: 'failed', baseUrl: null, problem, exit: null};
}

/** Tell every change; go on where a broken stream ended. */
async function followChanges(open: Open, listener: (change: Change) => void, signal: AbortSignal): Promise<void> {
  let lastId: string | null = null;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const {id, data} of open('/api/v1/events', lastId, signal)) {
        pauseMs = FIRST_PAUSE_MS;
        // What was read before the stream stood may have changed in between.
        if (lastId === null && id !== null) listener({resource: '*', change: 'resync'});
        lastId = id ?? lastId;
        if (data !== null) listener(JSON.parse(data) as Change);
      }
    } catch (error) {
      // A position that this database does not know: begin anew, and read everything once.
      if (error instanceof Refused && !isTransient(error)) lastId = null;
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
