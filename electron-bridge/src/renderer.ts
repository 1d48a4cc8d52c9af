/** For the page: the type of `window.taskflow`, and the typed client over it. */
import {clientOver, type PageClient} from './client.js';
import {REQUEST_HEADERS, type CallError, type RequestHeaders, type SidecarApi} from './contract.js';

export type * from './contract.js';
export type {PageClient} from './client.js';

declare global {
  interface Window {
    /** Put there by `exposeSidecar()` in the preload script. */
    readonly taskflow: SidecarApi;
  }
}

/** A call that got no answer: the sidecar is away, or the main process does not allow the call. */
export class CallFailedError extends Error {
  override readonly name = 'CallFailedError';
  readonly code: string;

  constructor({code, message}: CallError) {
    super(message);
    this.code = code;
  }
}

/**
 * Typed calls from a page, such as `client.GET('/api/v1/members')`. The main process makes them and adds the token;
 * which ones it makes is its decision (`allowRequest`).
 */
export function createSidecarClient(api: Pick<SidecarApi, 'request' | 'cancel'>): PageClient {
  const client = clientOver(async ({method, path, headers, body, signal}) => {
    const id = crypto.randomUUID();
    const asked = api.request({method, path, body, headers: passing(headers), id});
    const result = await (signal === undefined ? asked : abortable(asked, signal, () => void api.cancel(id)));
    if (!result.ok) throw new CallFailedError(result.error);
    return result.value;
  });
  return client; // the same calls, with fewer options
}

/** What openapi-fetch adds by itself passes; anything else was a type error. */
function passing(headers: Readonly<Record<string, string>>): RequestHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name in REQUEST_HEADERS));
}

/** The value; or, as soon as `signal` aborts, `giveUp` and its reason. */
async function abortable<T>(value: Promise<T>, signal: AbortSignal, giveUp: () => void): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      giveUp();
      reject(signal.reason instanceof Error ? signal.reason : new DOMException('Aborted', 'AbortError'));
    };
  });
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
