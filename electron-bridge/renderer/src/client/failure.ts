/** Why a call did not succeed, the same for both transports. */
import type {CallError} from './platform.js';

/** No answer came: the sidecar is away, or the call was cut off. Whether it was carried out is not known. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** The sidecar answered with an error. `message` is its one sentence. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  readonly code: string;
  readonly retryAfterS: number | null;

  constructor(status: number, code: string, sentence: string, retryAfterS: number | null = null) {
    super(sentence);
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }

  /** The field that a broken rule is about; null for everything else. */
  get field(): string | null {
    if (this.status !== 400) return null;
    return /^([a-z_]+(?:\.[a-z_]+)*): /.exec(this.message)?.[1] ?? null;
  }
}

/** Whether the same call may succeed later without anybody changing it. */
export function isTransient(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Refused && (error.status === 503 || error.status === 429));
}

/** What openapi-fetch answers with. */
interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The body of a successful answer; throws `Refused` for every other. */
export async function taken<T>(call: Promise<Answer<T>>): Promise<T> {
  const {data, error, response} = await call;
  if (response.ok) return data as T;
  throw refusal(response, error);
}

/** Body and version (`ETag`) of a successful answer. */
export async function takenWithVersion<T>(call: Promise<Answer<T>>): Promise<{value: T; version: string | null}> {
  const {data, error, response} = await call;
  if (response.ok) return {value: data as T, version: response.headers.get('etag')};
  throw refusal(response, error);
}

/** A header of a successful answer. */
export async function takenHeader(call: Promise<Answer<unknown>>, name: string): Promise<string | null> {
  const {error, response} = await call;
  if (response.ok) return response.headers.get(name);
  throw refusal(response, error);
}

/** A page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; null after the last one. */
  readonly next: string | null;
}

/** A page of a list, and where the next one begins (`Link`). */
export async function takenPage<T>(call: Promise<Answer<readonly T[]>>): Promise<Page<T>> {
  const {data, error, response} = await call;
  if (!response.ok) throw refusal(response, error);
  const next = /[?&]cursor=([^&>]+)/.exec(response.headers.get('link') ?? '')?.[1] ?? null;
  return {items: data ?? [], next};
}

function refusal(response: Response, body: unknown): Refused {
  const {error} = (typeof body === 'object' && body !== null ? body : {}) as {error?: unknown};
  const wait = Number(response.headers.get('retry-after') ?? NaN);
  return new Refused(
    response.status,
    response.headers.get('taskflow-error-code') ?? 'unknown',
    typeof error === 'string' ? error : '',
    Number.isFinite(wait) ? wait : null,
  );
}

/** The error of a call that answers with a value instead of throwing. */
export function asError({code, message, status}: CallError): Error {
  return status === null && code === 'unreachable' ? new Unreachable(message) : new Refused(status ?? 0, code, message);
}
