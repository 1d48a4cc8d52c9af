import {describe, expect, test} from 'vitest';
import {isAllowedByDefault} from '../../src/allowed.js';

describe('a page may have made by default', () => {
  test.each([
    ['GET', '/api/v1/members'],
    ['PATCH', '/api/v1/tasks/7'],
    ['POST', '/api/v1/tasks/7/subtasks/8/toggle'],
    ['POST', '/api/v1/import'],
    ['GET', '/api/v1/settings/log'],
    ['PUT', '/api/v1/settings/ai-keys'],
    ['POST', '/api/v1/ai/test-key'],
    ['PUT', '/api/v1/servers/guild/config'],
    ['POST', '/api/v1/tenants/acme/openai-key'],
    ['POST', '/api/v1/cameras/7/test'],
    ['POST', '/api/v1/alert-rules/7/trigger'],
    ['GET', '/api/v1/audit/verify'],
    ['POST', '/api/v1/vault/unlock'],
    ['GET', '/api/v1/vault/rotation'],
    ['GET', '/api/v1/vault/devices'],
    ['POST', '/api/v1/vault/devices'],
    ['GET', '/api/v1/vault/devices/request'],
    ['DELETE', '/api/v1/vault/devices/request'],
    ['POST', '/api/v1/vault/devices/0123456789abcdef/approve'],
    ['DELETE', '/api/v1/vault/devices/0123456789abcdef'],
    ['POST', '/api/api-keys/set-initial'],
  ])('%s %s', (method, path) => {
    expect(isAllowedByDefault({method, path})).toBe(true);
  });
});

describe('no page gets a key, a token or the sidecar itself', () => {
  test.each([
    ['POST', '/api/v1/servers/guild/api-key/reveal'],
    ['POST', '/api/v1/auth/token'],
    ['POST', '/api/v1/shutdown'],
    ['POST', '/api/v1/settings/save-connection'],
    ['POST', '/api/v1/settings/rotate-key'],
    ['GET', '/api/v1/settings/connection'],
    ['POST', '/api/v1/settings/password'],
    ['DELETE', '/api/v1/audit'],
    ['POST', '/api/v1/export'],
    ['GET', '/api/v1/vault/recovery'],
    ['GET', '/api/v1/vault/unknown'],
    ['DELETE', '/api/v1/vault/unlock'],
    ['GET', '/api/v1/vault/devices/0123456789abcdef'],
    ['GET', '/api/v1/vault/devices/0123456789abcdef/approve'],
    ['POST', '/api/v1/vault/devices/0123456789abcdef/wrap'],
    ['POST', '/api/api-keys/set'],
    ['GET', '/api/v1/members/7/anything'],
    ['GET', '/api/v1'],
    ['GET', '/ai-gateway/system/default/openai/v1/models'],
  ])('%s %s', (method, path) => {
    expect(isAllowedByDefault({method, path})).toBe(false);
  });
});
