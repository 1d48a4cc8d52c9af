/** The environment a sidecar gets: what the system and the product need, and nothing that came along by chance. */

/**
 * Names that pass. Everything else stays out: proxies (they must not touch loopback), `PYTHON*` (foreign modules),
 * `PG*` (they change what libpq connects to), `LD_*` and `DYLD_*` (foreign libraries), `NODE_*`, `ELECTRON_*`.
 */
const PASSED_NAMES: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'TMP',
  'TEMP',
  // Kerberos log-in to PostgreSQL
  'KRB5CCNAME',
  'KRB5_CONFIG',
  // Windows: without SystemRoot no socket opens there
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'USERNAME',
  'USERDOMAIN',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'ALLUSERSPROFILE',
  'COMPUTERNAME',
  'NUMBER_OF_PROCESSORS',
  'PROCESSOR_ARCHITECTURE',
  // the sidecar's own settings, for whoever administers the machine
  'ENCRYPTION_KEY',
  'JWT_SECRET_KEY',
  'API_KEY_ENCRYPTION_SECRET',
  'OPENAI_BASE_URL',
  'ANTHROPIC_BASE_URL',
  'GOOGLE_BASE_URL',
  'DEEPSEEK_BASE_URL',
]);

const PASSED_PREFIXES = ['LC_', 'XDG_', 'TASKFLOW_'] as const;

/**
 * Build the sidecar's environment.
 *
 * @param inherited the app's own environment; filtered.
 * @param extra added as it is, last; `undefined` removes a name.
 */
export function sidecarEnvironment(
  inherited: NodeJS.ProcessEnv,
  extra: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (value !== undefined && passes(name)) environment[name] = value;
  }
  for (const [name, value] of Object.entries(extra)) {
    if (value === undefined) Reflect.deleteProperty(environment, name);
    else environment[name] = value;
  }
  return environment;
}

function passes(name: string): boolean {
  // Windows keeps the case in which a variable was set ("Path"), yet ignores it.
  const upper = name.toUpperCase();
  return PASSED_NAMES.has(upper) || PASSED_PREFIXES.some((prefix) => upper.startsWith(prefix));
}
