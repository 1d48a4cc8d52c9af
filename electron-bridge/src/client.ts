/** The typed client: openapi-fetch over the types generated from the sidecar's OpenAPI document. */
import createClient, {type Client} from 'openapi-fetch';
import type {paths} from './openapi.js';

/** Typed calls, such as `client.GET('/api/v1/members')`; answers `{data, error, response}`. */
export type SidecarClient = Client<paths>;

/** One call as the client hands it to whatever carries it. */
export interface ClientCall {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What came back. */
export interface ClientAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Carries calls to the sidecar; the base address is its business. */
export type Transport = (call: ClientCall) => Promise<ClientAnswer>;

/** A client whose calls all go through `transport`. */
export function clientOver(transport: Transport): SidecarClient {
  return createClient<paths>({
    // openapi-fetch makes its Request and Response by these names; Node 16 has neither.
    Request: CallRequest as unknown as typeof Request,
    fetch: async (request) => asResponse(await transport((request as unknown as CallRequest).call)),
  });
}

/** The part of `Request` that openapi-fetch uses. */
class CallRequest {
  readonly method: string;
  readonly call: ClientCall;

  constructor(path: string, init: {method?: string; headers: Headers; body?: string; signal?: AbortSignal}) {
    this.method = init.method ?? 'GET';
    const headers: Record<string, string> = {};
    init.headers.forEach((value, name) => {
      headers[name] = value;
    });
    this.call = {method: this.method, path, headers, body: init.body, signal: init.signal};
  }
}

function asResponse(answer: ClientAnswer): Response {
  const platform = globalThis as {Response?: typeof Response};
  if (platform.Response === undefined) return new PlainResponse(answer) as unknown as Response;
  const bodyless = answer.status === 204 || answer.status === 304;
  return new platform.Response(bodyless ? null : answer.body, {status: answer.status, headers: {...answer.headers}});
}

/** The part of `Response` that openapi-fetch and its callers use, for Node 16. */
class PlainResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: {get: (name: string) => string | null; has: (name: string) => boolean};
  readonly #body: string;

  constructor({status, headers, body}: ClientAnswer) {
    this.status = status;
    this.ok = status >= 200 && status < 300;
    this.headers = {
      get: (name) => headers[name.toLowerCase()] ?? null,
      has: (name) => name.toLowerCase() in headers,
    };
    this.#body = body;
  }

  text(): Promise<string> {
    return Promise.resolve(this.#body);
  }

  json(): Promise<unknown> {
    return this.text().then(JSON.parse);
  }
}
