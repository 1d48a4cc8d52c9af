/** The typed client: openapi-fetch over the types generated from the sidecar's OpenAPI document. */
import createClient, {type Client, type FetchOptions, type FetchResponse} from 'openapi-fetch';
import type {RequestHeaderName} from './contract.js';
import type {paths} from './openapi.js';

/** Typed calls, such as `client.GET('/api/v1/members')`; answers `{data, error, response}`. */
export type SidecarClient = Client<paths>;

type Method = 'get' | 'put' | 'post' | 'delete' | 'patch';
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Readonly<Record<M, {responses: unknown}>> ? P : never;
}[keyof paths];

/** What a page may say about a call; a header that does not pass to the sidecar is none of these. */
type PageOptions<Operation> = Pick<FetchOptions<Operation>, 'params' | 'body' | 'querySerializer' | 'signal'> & {
  readonly headers?: {readonly [N in RequestHeaderName | Lowercase<RequestHeaderName>]?: string | undefined};
};
type NeedsOptions = {requestBody: unknown} | {parameters: {path: unknown} | {query: unknown} | {header: unknown}};
/** Paths whose call needs no options. */
type BarePathsWith<M extends Method> = {
  [P in PathsWith<M>]: paths[P][M] extends NeedsOptions ? never : P;
}[PathsWith<M>];
type PageAnswer<Operation, As> = Promise<
  FetchResponse<Operation & Record<string, unknown>, {parseAs: As}, `${string}/${string}`>
>;

interface PageCall<M extends Method> {
  <P extends BarePathsWith<M>>(path: P): PageAnswer<paths[P][M], 'json'>;
  <P extends PathsWith<M>>(path: P, options: PageOptions<paths[P][M]>): PageAnswer<paths[P][M], 'json'>;
  /** An answer that is no JSON. */
  <P extends PathsWith<M>>(
    path: P,
    options: PageOptions<paths[P][M]> & {readonly parseAs: 'text'},
  ): PageAnswer<paths[P][M], 'text'>;
}

/** The typed client as a page has it: the same calls and answers, with the headers that pass. */
export interface PageClient {
  readonly GET: PageCall<'get'>;
  readonly PUT: PageCall<'put'>;
  readonly POST: PageCall<'post'>;
  readonly DELETE: PageCall<'delete'>;
  readonly PATCH: PageCall<'patch'>;
}

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
