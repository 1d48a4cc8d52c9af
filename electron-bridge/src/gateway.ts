/**
 * Calls to AI providers through the sidecar's gateway, made by the providers' own SDKs.
 *
 * The SDK gets a `fetch` that speaks to the sidecar alone: over proven connections, with the credential that is right
 * at the moment of the call, at the address that the sidecar has then.
 */
import type {Agent, RequestInit as UndiciRequestInit} from 'undici';
import type {Endpoint} from './endpoint.js';
import {isRecord} from './guards.js';
import {SidecarError, bridgeProblem} from './problems.js';
import {loadUndici} from './web-fetch.js';

/** What each provider's own SDK expects behind its base URL; it adds the rest, as it does for the provider's address. */
const SDK_PATHS = {
  openai: '/v1',
  anthropic: '',
  google: '',
  deepseek: '/v1',
} as const;

export type GatewayProvider = keyof typeof SDK_PATHS;

/** Whose key is used. */
export type GatewayOwner =
  {readonly kind: 'user' | 'tenant' | 'server'; readonly id: string} | {readonly kind: 'system'};

export interface GatewayOptions {
  readonly owner: GatewayOwner;
  readonly provider: GatewayProvider;
}

/** The web's `fetch`; its types come from the app's own `lib.dom` or `@types/node`. */
export type GatewayFetch = typeof globalThis.fetch;
type Input = Parameters<GatewayFetch>[0];
type Answer = Awaited<ReturnType<GatewayFetch>>;

/** Options for a provider's SDK: `new OpenAI({baseURL, apiKey, fetch})`. */
export interface Gateway {
  readonly baseURL: string;
  /**
   * For a user, a token that is good for some minutes by itself; `fetch` renews its own. Otherwise only a placeholder,
   * because the sidecar's token does not leave the bridge.
   */
  readonly apiKey: string;
  /** Works for this owner and provider alone, whatever key the SDK puts in. */
  readonly fetch: GatewayFetch;
}

/** Gives the way to the sidecar, as it is now. */
export type Reach = (signal?: AbortSignal) => Promise<Endpoint>;

const PLACEHOLDER = 'use-the-fetch-of-the-gateway';
/** Where SDKs put their key. */
const KEY_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key'] as const;
/** Idle connections go long before the sidecar would close them. */
const IDLE_MS = 3_000;
const RENEW_BEFORE_MS = 120_000;

/** Open the gateway for one owner and provider. */
export async function openGateway({owner, provider}: GatewayOptions, reach: Reach): Promise<Gateway> {
  const endpoint = await reach();
  const id = owner.kind === 'system' ? 'default' : owner.id;
  const place = `/ai-gateway/${owner.kind}/${encodeURIComponent(id)}/${provider}`;
  const userToken = owner.kind === 'user' ? new UserToken(owner.id) : null;
  const calls = new GatewayCalls(place, userToken, reach);
  return {
    baseURL: endpoint.baseUrl + place + SDK_PATHS[provider],
    apiKey: (await userToken?.take(endpoint)) ?? PLACEHOLDER,
    fetch: (input, init) => calls.fetch(input, init),
  };
}

class GatewayCalls {
  readonly #place: string;
  readonly #userToken: UserToken | null;
  readonly #reach: Reach;

  constructor(place: string, userToken: UserToken | null, reach: Reach) {
    this.#place = place;
    this.#userToken = userToken;
    this.#reach = reach;
  }

  async fetch(input: Input, init: RequestInit = {}): Promise<Answer> {
    const {url, ...call} = callOf(input, init);
    const path = this.#pathOf(url);
    const undici = await loadUndici();
    const signal = call.signal ?? undefined;
    try {
      const endpoint = await this.#reach(signal);
      const headers = new undici.Headers(call.headers);
      for (const name of KEY_HEADERS) headers.delete(name);
      const token = await this.#userToken?.take(endpoint);
      headers.set('authorization', token === undefined ? endpoint.authorization : `Bearer ${token}`);
      const dispatcher = dispatcherOf(endpoint, undici.Agent);
      const response = await undici.fetch(endpoint.baseUrl + path, {...call, headers, dispatcher});
      if (response.status === 401) this.#userToken?.forget();
      return response as unknown as Answer; // undici's own class, with the same members
    } catch (error) {
      throw signal?.aborted === true ? abortError(signal) : told(error);
    }
  }

  /** Path and query, at whatever port the sidecar was when the SDK got its base URL. */
  #pathOf(url: string): string {
    const {protocol, hostname, pathname, search} = new URL(url);
    if (protocol !== 'http:' || hostname !== '127.0.0.1' || !pathname.startsWith(`${this.#place}/`))
      throw new TypeError('This fetch reaches one provider through the gateway of the sidecar, and no other address.');
    return pathname + search;
  }
}

/** A user's short-lived token, renewed before it expires and for each new process of the sidecar. */
class UserToken {
  readonly #userId: string;
  #endpoint: Endpoint | null = null;
  #asked: Promise<Minted> | null = null;

  constructor(userId: string) {
    this.#userId = userId;
  }

  /**
   * A token that is good for the next minutes.
   *
   * @throws SidecarError `token-refused`, `unreachable`.
   */
  async take(endpoint: Endpoint): Promise<string> {
    if (this.#endpoint !== endpoint) this.forget();
    this.#endpoint = endpoint;
    const asked = this.#asked ?? this.#ask(endpoint);
    const {token, renewAtMs} = await asked;
    if (Date.now() < renewAtMs) return token;
    // Calls that come at the same time share one renewal.
    if (this.#asked === asked) this.forget();
    return (await (this.#asked ?? this.#ask(endpoint))).token;
  }

  /** Ask for a new one at the next call. */
  forget(): void {
    this.#asked = null;
  }

  #ask(endpoint: Endpoint): Promise<Minted> {
    const asked = mint(endpoint, this.#userId);
    this.#asked = asked;
    asked.catch(() => {
      if (this.#asked === asked) this.forget();
    });
    return asked;
  }
}

interface Minted {
  readonly token: string;
  readonly renewAtMs: number;
}

async function mint(endpoint: Endpoint, userId: string): Promise<Minted> {
  const {status, body} = await endpoint.ask({
    method: 'POST',
    path: '/api/v1/auth/token',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({user_id: userId}),
  });
  const answer: unknown = JSON.parse(body);
  if (status >= 300 || !isRecord(answer)) {
    const sentence = isRecord(answer) && typeof answer['error'] === 'string' ? `${answer['error']}.` : '';
    throw new SidecarError(bridgeProblem('token-refused', sentence.replace(/\.\.$/, '.')));
  }
  return {
    token: String(answer['token']),
    renewAtMs: Date.parse(String(answer['expires_at'])) - RENEW_BEFORE_MS,
  };
}

const dispatchers = new WeakMap<Endpoint, Agent>();

/** undici's connections to one sidecar process. Whatever address they are asked for, they lead there. */
function dispatcherOf(endpoint: Endpoint, AgentClass: typeof Agent): Agent {
  const present = dispatchers.get(endpoint);
  if (present !== undefined) return present;
  const agent = new AgentClass({
    connect: (_options, callback) => {
      endpoint.connect().then(
        (socket) => callback(null, socket),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
      );
    },
    keepAliveTimeout: IDLE_MS,
    // A model may think for long; the SDK has a time limit of its own.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  dispatchers.set(endpoint, agent);
  endpoint.closed.addEventListener('abort', () => void agent.destroy(), {once: true});
  return agent;
}

/** One call in undici's words. A `Request` may be the platform's, which undici does not know as one. */
function callOf(input: Input, init: RequestInit): UndiciRequestInit & {readonly url: string} {
  const own = init as UndiciRequestInit; // the same members, declared twice
  if (typeof input === 'string' || input instanceof URL) return {...own, url: String(input)};
  const {url, method, headers, body, signal} = input;
  const base = {method, headers, signal, ...(body === null ? {} : {body, duplex: 'half'})};
  return {...(base as object), ...own, url};
}

function abortError({reason}: AbortSignal): Error {
  if (reason instanceof Error) return reason;
  return Object.assign(new Error('The operation was aborted'), {name: 'AbortError'});
}

/** A broken exchange as `fetch` tells of it. undici's own causes are left out: they hold the connection. */
function told(error: unknown): unknown {
  const {cause} = error instanceof TypeError ? error : {cause: error};
  if (cause === undefined) return error;
  const known = cause instanceof SidecarError ? cause : new SidecarError(bridgeProblem('unreachable'));
  return new TypeError(known.message, {cause: known});
}
