/** What may come from a renderer. It is checked for shape and size here, and for meaning by the sidecar. */
import {
  REQUEST_HEADERS,
  type ConnectionInput,
  type ForwardedRequest,
  type RequestHeaders,
  type SaveOptions,
} from './contract.js';
import {isRecord} from './guards.js';

/** Arguments that the contract does not allow. The message never repeats a value. */
export class Invalid extends Error {
  readonly code: string;

  constructor(message: string, code = 'invalid-argument') {
    super(message);
    this.code = code;
  }
}

/** Tokens that serve as passwords have up to 8,192 characters, and a connection string holds one percent-encoded. */
const MAX_FIELD_CHARS = 32_768;
const MAX_BODY_BYTES = 1_048_576;
/** Of the team's whole work, which is one body. */
const MAX_IMPORT_BYTES = 256 * MAX_BODY_BYTES;
const MAX_PATH_CHARS = 4_096;

type InputName = ConnectionInput extends infer Input ? (Input extends unknown ? keyof Input : never) : never;

/** Fails to compile when the sidecar's settings gain or lose a field. */
const CONNECTION_FIELDS: Readonly<Record<InputName, true>> = {
  host: true,
  port: true,
  database: true,
  username: true,
  password: true,
  dsn: true,
  sslmode: true,
  sslrootcert: true,
  sslcert: true,
  sslkey: true,
  target_session_attrs: true,
  channel_binding: true,
  options: true,
  auth: true,
  krbsrvname: true,
  gssencmode: true,
  require_auth: true,
  hostaddr: true,
  load_balance_hosts: true,
  sslnegotiation: true,
};

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Plain segments only: nothing here can climb out of the path that was allowed. */
const PATH = /^\/api\/(?:v1|api-keys)(?:\/[A-Za-z0-9_-]+)+(?:\?[\x21\x22\x24-\x7e]*)?$/;

export function nothing(args: readonly unknown[]): void {
  if (args.length > 0) throw new Invalid('No argument is expected');
}

export function connectionInput(args: readonly unknown[]): ConnectionInput {
  const settings = single(args);
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(CONNECTION_FIELDS, name)) throw new Invalid('The settings hold a field that is not known');
    const isText = typeof value === 'string' && value.length <= MAX_FIELD_CHARS;
    if (!isText && value !== null && !(name === 'port' && typeof value === 'number')) {
      throw new Invalid(`${name}: Input should be a short text`);
    }
  }
  // Whether the fields are the right ones and complete is the sidecar's to say, in its own sentence.
  return settings as unknown as ConnectionInput;
}

export function savingInput(args: readonly unknown[]): {readonly settings: ConnectionInput; readonly test: boolean} {
  const [settings, options = {}, ...rest] = args;
  if (rest.length > 0 || !isRecord(options)) throw new Invalid('The settings and one object are expected');
  const {test = false, ...others} = options as SaveOptions;
  if (typeof test !== 'boolean' || Object.keys(others).length > 0) throw new Invalid('options: not allowed');
  return {settings: connectionInput([settings]), test};
}

export function shortText(args: readonly unknown[]): string {
  const [text, ...rest] = args;
  if (rest.length > 0 || typeof text !== 'string' || text.length > MAX_FIELD_CHARS)
    throw new Invalid('Exactly one short text is expected');
  return text;
}

export function forwardedRequest(args: readonly unknown[]): ForwardedRequest {
  const {method, path, body, headers, id} = single(args);
  if (typeof method !== 'string' || !METHODS.includes(method)) throw new Invalid('method: not allowed');
  if (typeof path !== 'string' || path.length > MAX_PATH_CHARS || !PATH.test(path))
    throw new Invalid('path: not allowed');
  const most = /^\/api\/v1\/import(?:\?|$)/.test(path) ? MAX_IMPORT_BYTES : MAX_BODY_BYTES;
  if (body !== undefined && (typeof body !== 'string' || Buffer.byteLength(body) > most)) {
    throw new Invalid(`body: Input should be a text of at most ${most / 1_048_576} MiB`);
  }
  return {method, path, body, headers: requestHeaders(headers), id: id === undefined ? undefined : callId([id])};
}

/** The id that a page gave a call. */
export function callId(args: readonly unknown[]): string {
  const text = shortText(args);
  if (!/^[\x21-\x7e]{1,100}$/.test(text)) throw new Invalid('id: not allowed');
  return text;
}

/** Known names and printable values: nothing here can add another header or line. */
function requestHeaders(headers: unknown): RequestHeaders {
  if (headers === undefined) return {};
  if (!isRecord(headers)) throw new Invalid('headers: Input should be an object');
  for (const [name, value] of Object.entries(headers)) {
    const isAllowed = typeof value === 'string' && /^[\x20-\x7e]{1,1000}$/.test(value);
    if (!Object.hasOwn(REQUEST_HEADERS, name) || (value !== undefined && !isAllowed))
      throw new Invalid('headers: not allowed');
  }
  return headers;
}

function single(args: readonly unknown[]): Readonly<Record<string, unknown>> {
  const [value, ...rest] = args;
  if (rest.length > 0 || !isRecord(value)) throw new Invalid('Exactly one object is expected');
  return value;
}
