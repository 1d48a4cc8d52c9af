/**
 * The calls that a page may have made by default: everything that the interface needs, and nothing that is not listed.
 *
 * No listed call answers with a key, a password or a token: keys travel from the person to the sidecar only. So these
 * stay out: revealing a server's key, minting tokens, the gateway, and the connection itself, which has functions of its
 * own.
 */

/** A call as `allowRequest` sees it. */
export interface RequestedCall {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
}

const READ = ['GET'];
const ACT = ['POST'];
const ALL = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

const ALLOWED: readonly (readonly [methods: readonly string[], path: string])[] = [
  // The team's work.
  [ALL, 'v1/members'],
  [ALL, 'v1/members/:id'],
  [ALL, 'v1/members/:id/reassign'],
  [ALL, 'v1/tasks'],
  [ALL, 'v1/tasks/:id'],
  [ALL, 'v1/tasks/:id/:part'],
  [ALL, 'v1/tasks/:id/:part/:id'],
  [ALL, 'v1/tasks/:id/:part/:id/:act'],
  [READ, 'v1/updates'],
  [READ, 'v1/export'],
  [ACT, 'v1/import'],
  // What the sidecar logs, without secrets.
  [READ, 'v1/settings/log'],
  // The connection's files: whether they serve.
  [ACT, 'v1/settings/check-certificates'],
  // Keys: written, checked, read masked.
  [READ, 'v1/providers'],
  [ACT, 'v1/ai/test-key'],
  [['GET', 'PUT'], 'v1/settings/ai-keys'],
  [READ, 'v1/servers'],
  [['GET', 'PUT', 'DELETE'], 'v1/servers/:id/config'],
  [['GET', 'POST'], 'v1/tenants'],
  [['GET', 'PATCH', 'DELETE'], 'v1/tenants/:id'],
  [['POST', 'DELETE'], 'v1/tenants/:id/openai-key'],
  [READ, 'v1/tenants/:id/openai-key/status'],
  [['GET', 'POST'], 'v1/cameras'],
  [ACT, 'v1/cameras/test'],
  [['GET', 'PUT', 'PATCH', 'DELETE'], 'v1/cameras/:id'],
  [ACT, 'v1/cameras/:id/test'],
  [['GET', 'POST'], 'v1/alert-rules'],
  [['GET', 'PUT', 'PATCH', 'DELETE'], 'v1/alert-rules/:id'],
  [ACT, 'v1/alert-rules/:id/trigger'],
  [READ, 'api-keys/status-initial'],
  [ACT, 'api-keys/set-initial'],
  [READ, 'v1/usage'],
  [READ, 'v1/audit'],
  [READ, 'v1/audit/verify'],
  // The vault.
  [READ, 'v1/vault'],
  ...['unlock', 'reset', 'rotate', 'bulk', 'accept', 'recovery'].map((act) => [ACT, `v1/vault/${act}`] as const),
  [READ, 'v1/vault/rotation'],
  [READ, 'v1/vault/verify'],
  [['GET', 'POST'], 'v1/vault/devices'],
  [['GET', 'DELETE'], 'v1/vault/devices/request'],
  [['DELETE'], 'v1/vault/devices/:id'],
  [ACT, 'v1/vault/devices/:id/approve'],
];

const PATTERNS = ALLOWED.map(
  ([methods, path]) => [methods, new RegExp(`^/api/${path.replace(/:\w+/g, '[^/]+')}$`)] as const,
);

/** Whether a page may have a call made unless the app says otherwise. */
export function isAllowedByDefault({method, path}: RequestedCall): boolean {
  return PATTERNS.some(([methods, pattern]) => methods.includes(method) && pattern.test(path));
}
