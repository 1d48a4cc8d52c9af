/** What the form of the connection holds, and what is sent of it. */
import type {ConnectionInput, SavedConnection} from '../../client/platform.js';

export const SSL_MODES = ['verify-full', 'verify-ca', 'require', 'prefer', 'allow', 'disable'] as const;
export type SslMode = (typeof SSL_MODES)[number];
export const AUTH_KINDS = ['password', 'kerberos', 'certificate', 'none'] as const;
export type AuthKind = (typeof AUTH_KINDS)[number];

/** The operating system's own list of authorities, as libpq calls it. */
export const SYSTEM_ROOTS = 'system';
export const DEFAULT_PORT = '5432';

export interface ConnectionValues {
  host: string;
  port: string;
  database: string;
  username: string;
  auth: AuthKind;
  password: string;
  sslmode: SslMode;
  sslrootcert: string;
  sslcert: string;
  sslkey: string;
  krbsrvname: string;
  gssencmode: string;
  target_session_attrs: string;
  channel_binding: string;
  require_auth: string;
  options: string;
}

export const NO_VALUES: ConnectionValues = {
  host: '',
  port: DEFAULT_PORT,
  database: '',
  username: '',
  auth: 'password',
  password: '',
  sslmode: 'prefer',
  sslrootcert: '',
  sslcert: '',
  sslkey: '',
  krbsrvname: '',
  gssencmode: '',
  target_session_attrs: '',
  channel_binding: '',
  require_auth: '',
  options: '',
};

/** What a stored password was stored for: it is never sent anywhere else. */
const PASSWORD_BELONGS_TO = ['host', 'port', 'username', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const;

/** The form of a connection that is saved; its password is not known here. */
export function valuesOf(saved: SavedConnection | null): ConnectionValues {
  if (saved === null) return NO_VALUES;
  const known = Object.entries(saved).filter(([name]) => name in NO_VALUES);
  return {...NO_VALUES, ...Object.fromEntries(known.map(([name, value]) => [name, String(value)]))};
}

/** Whether the stored password may go where these values lead, so that nobody has to type it again. */
export function mayKeepPassword(values: ConnectionValues, saved: SavedConnection | null): boolean {
  if (saved?.has_password !== true) return false;
  const before = valuesOf(saved);
  return before.auth === 'password' && PASSWORD_BELONGS_TO.every((name) => values[name].trim() === before[name]);
}

/** Whether what is sent stays on this computer, where encryption protects from nobody. */
export function isLoopback(host: string): boolean {
  const hosts = host.split(',').map((each) => each.trim().replace(/^\[|\]$/g, ''));
  return hosts.every((each) => /^(localhost|127(\.\d+){3}|::1|\/.*|)$/i.test(each));
}

/** The body of the calls: what was filled in, the password exactly as typed, or null for the stored one. */
export function bodyOf(values: ConnectionValues, saved: SavedConnection | null): ConnectionInput {
  const {auth, password, sslmode, sslcert, sslkey, ...rest} = values;
  const body: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(rest)) if (value.trim() !== '') body[name] = value.trim();
  body['sslmode'] = sslmode;
  if (auth !== 'password') body['auth'] = auth;
  else body['password'] = password === '' && mayKeepPassword(values, saved) ? null : password;
  if (sslmode !== 'disable') {
    if (sslcert.trim() !== '') body['sslcert'] = sslcert.trim();
    if (sslkey.trim() !== '') body['sslkey'] = sslkey.trim();
  } else delete body['sslrootcert'];
  if (auth !== 'kerberos') delete body['krbsrvname'];
  return body as unknown as ConnectionInput;
}
