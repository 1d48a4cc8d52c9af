/** Connection strings as people paste them, taken apart into the form's fields. */
import {AUTH_KINDS, SSL_MODES, type ConnectionValues} from './values.js';

export interface Pasted {
  readonly fields: Partial<ConnectionValues>;
  /** Names of parameters that mean nothing here: those of other programs, and those that the sidecar sets itself. */
  readonly ignored: readonly string[];
  /** Names of parameters that would make the sidecar read other files. */
  readonly refused: readonly string[];
}

/** How other programs write it: SQLAlchemy with its driver, Java with a prefix. */
const SCHEME = /^(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?:\/\//i;
const ESCAPED = /%[0-9a-f]{2}/gi;

const FIELDS: Readonly<Record<string, keyof ConnectionValues>> = {
  host: 'host',
  port: 'port',
  dbname: 'database',
  user: 'username',
  password: 'password',
  sslmode: 'sslmode',
  sslrootcert: 'sslrootcert',
  sslcert: 'sslcert',
  sslkey: 'sslkey',
  krbsrvname: 'krbsrvname',
  gssencmode: 'gssencmode',
  target_session_attrs: 'target_session_attrs',
  channel_binding: 'channel_binding',
  require_auth: 'require_auth',
  options: 'options',
};
const REFUSED = new Set(['service', 'servicefile', 'passfile', 'sslpassword']);

/** Whether a text is meant as a connection string, complete or not. */
export function looksLikeDsn(text: string): boolean {
  return SCHEME.test(text.trim()) || /^\s*(?:host|hostaddr|user|dbname|port|password)\s*=/i.test(text);
}

/** The fields of a connection string; null where it is none. */
export function parseDsn(text: string): Pasted | null {
  const trimmed = text.trim();
  const parameters = SCHEME.test(trimmed) ? ofUri(trimmed.replace(SCHEME, '')) : ofWords(trimmed);
  if (parameters === null || parameters.size === 0) return null;
  const fields: Partial<Record<keyof ConnectionValues, string>> = {};
  const ignored: string[] = [];
  const refused: string[] = [];
  for (const [name, value] of parameters) {
    const field = FIELDS[name];
    if (REFUSED.has(name)) refused.push(name);
    else if (name === 'ssl' && value === 'true') fields.sslmode ??= 'require';
    else if (field === undefined || (field === 'sslmode' && !SSL_MODES.some((mode) => mode === value)))
      ignored.push(name);
    else if (value !== '') fields[field] = value;
  }
  fields.auth = authOf(fields);
  return {fields: fields as Partial<ConnectionValues>, ignored, refused};
}

function authOf({
  password,
  krbsrvname,
  gssencmode,
  sslcert,
}: Partial<Record<keyof ConnectionValues, string>>): (typeof AUTH_KINDS)[number] {
  if (password !== undefined) return 'password';
  if (krbsrvname !== undefined || gssencmode === 'require') return 'kerberos';
  return sslcert === undefined ? 'password' : 'certificate';
}

/** What follows `postgresql://`: user and password, hosts with ports, database, parameters. */
function ofUri(text: string): ReadonlyMap<string, string> | null {
  const [address, query = ''] = splitOnce(text, '?');
  // The last one: a password that was not encoded may have some itself.
  const at = address.lastIndexOf('@');
  const found = new Map<string, string>();
  if (at >= 0) {
    const [user, password] = splitOnce(address.slice(0, at), ':');
    found.set('user', decoded(user));
    if (password !== undefined) found.set('password', decoded(password));
  }
  const [places, database = ''] = splitOnce(address.slice(at + 1), '/');
  const parts = places.split(',').map((place) => /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place));
  if (parts.some((part) => part === null)) return null;
  const hosts = parts.map((part) => decoded(part?.[1] ?? ''));
  const ports = parts.map((part) => part?.[2] ?? '');
  found.set('host', hosts.map((host) => host.replace(/^\[|\]$/g, '')).join(','));
  if (ports.some((port) => port !== ''))
    found.set('port', new Set(ports).size === 1 ? (ports[0] ?? '') : ports.map((port) => port || '5432').join(','));
  found.set('dbname', decoded(database));
  for (const pair of query.split('&').filter((each) => each !== '')) {
    const [name, value = ''] = splitOnce(pair, '=');
    found.set(decoded(name), decoded(value));
  }
  return found;
}

/** Libpq's other form: `host=db.example.org dbname='our team'`. */
function ofWords(text: string): ReadonlyMap<string, string> | null {
  const found = new Map<string, string>();
  const word = /\s*([A-Za-z_]\w*)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/y;
  while (word.lastIndex < text.length) {
    const match = word.exec(text);
    if (match === null) return null;
    const [, name = '', quoted, plain = ''] = match;
    found.set(name.toLowerCase(), (quoted ?? plain).replace(/\\(.)/gs, '$1'));
    if (text.slice(word.lastIndex).trim() === '') break;
  }
  return found;
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Percent-encoding taken back; a text that has none, or a broken one, is taken as it stands. */
function decoded(text: string): string {
  try {
    return text.replace(/%(?![0-9a-f]{2})/gi, '%25').match(ESCAPED) === null
      ? text
      : decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch {
    return text;
  }
}
