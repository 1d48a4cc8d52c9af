/** For the page: the type of `window.taskflow`, and the typed client over it. */
import {clientOver, type SidecarClient} from './client.js';
import type {CallError, SidecarApi} from './contract.js';

export type * from './contract.js';
export type {SidecarClient} from './client.js';

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
export function createSidecarClient(api: Pick<SidecarApi, 'request'>): SidecarClient {
  return clientOver(async ({method, path, headers, body}) => {
    const result = await api.request({method, path, body, ifMatch: headers['if-match']});
    if (!result.ok) throw new CallFailedError(result.error);
    return result.value;
  });
}
