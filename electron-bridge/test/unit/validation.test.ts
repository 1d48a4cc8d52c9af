import {describe, expect, test} from 'vitest';
import {connectionInput, forwardedRequest, nothing, shortText} from '../../src/validation.js';

describe('connection settings', () => {
  test.each([
    {host: 'h', port: 5432, database: 'd', username: 'u', password: ' p@ss ', sslmode: 'require'},
    {host: 'h', port: '5432'},
    {dsn: 'postgresql://u:p@h/d', sslmode: 'prefer', sslrootcert: null},
    {},
  ])('%j passes as it is', (settings) => {
    expect(connectionInput([settings])).toEqual(settings);
  });

  test.each([
    [[]],
    [[null]],
    [['dsn']],
    [[[]]],
    [[{}, {}]],
    [[{secret_hook: 'x'}]],
    [[{host: 7}]],
    [[{host: {}}]],
    [[{password: 'canary'.repeat(6_000)}]],
    [[{toString: 'x'}]],
    [[JSON.parse('{"__proto__": "x"}')]],
  ])('input %# is refused, and no value is repeated', (args) => {
    expect(() => connectionInput(args)).toThrow(/^(?!.*canary).+$/);
  });
});

describe('forwarded requests', () => {
  test.each([
    {method: 'GET', path: '/api/v1/members'},
    {
      method: 'PATCH',
      path: '/api/v1/tasks/0c3f2a1e-0000-4000-8000-000000000000/subtasks',
      body: '{}',
      headers: {'if-match': '"3", W/"4"'},
    },
    {method: 'GET', path: '/api/v1/tasks?search=a%20b&sort=created'},
  ])('%j passes', (request) => {
    expect(forwardedRequest([request])).toMatchObject(request);
  });

  test.each([
    '/health',
    '/api/v1',
    '/api/v1/',
    'http://127.0.0.1:1/api/v1/members',
    '//evil/api/v1/members',
    '/api/v1/members/..',
    '/api/v1/members/../settings/connection',
    '/api/v1/members/%2e%2e/settings',
    '/api/v1/members//x',
    '/api/v1/members#x',
    '/api/v1/members x',
    '/api/v1/members\r\nX: y',
    '/api/v1/members?a=\r\nX: y',
    '/api/v1/members?a=b#c',
    '/api/v1/mémbers',
    `/api/v1/members?${'a'.repeat(5_000)}`,
    7,
    null,
    undefined,
  ])('path %j is refused', (path) => {
    expect(() => forwardedRequest([{method: 'GET', path}])).toThrow('path: not allowed');
  });

  test.each(['get', 'TRACE', 'CONNECT', 'OPTIONS', 'GET /', '', null])('method %j is refused', (method) => {
    expect(() => forwardedRequest([{method, path: '/api/v1/members'}])).toThrow('method: not allowed');
  });

  test.each([
    {body: {}},
    {body: 'ä'.repeat(600_000)},
    {headers: {'if-match': 'a\r\nX: y'}},
    {headers: {'if-match': 7}},
    {headers: {authorization: 'x'}},
    {headers: {__proto__: null, host: 'x'}},
    {id: ''},
    {id: 7},
  ])('%# is refused', (more) => {
    expect(() => forwardedRequest([{method: 'POST', path: '/api/v1/members', ...more}])).toThrow();
  });
});

test('a text is taken as it is, if it is one and short', () => {
  expect(shortText([' a b '])).toBe(' a b ');
  for (const args of [[], [7], [null], ['a', 'b'], ['a'.repeat(33_000)]])
    expect(() => shortText(args)).toThrow('one short text');
});

test('calls without arguments take none', () => {
  expect(() => nothing([])).not.toThrow();
  expect(() => nothing([undefined])).toThrow();
});
