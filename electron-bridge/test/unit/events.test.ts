import {expect, test} from 'vitest';
import {parseEvent} from '../../src/events.js';

const PROBLEM = {
  code: 'password-rejected',
  message: 'The database server rejected the user name or the password.',
  remedy: 'Enter the right user name and password.',
  retryable: false,
  who: 'you',
  since: '2026-11-20T10:00:00Z',
  next_retry_in_s: null,
};

test('the three events of protocol 1 are read, unknown fields are ignored', () => {
  expect(
    parseEvent(
      '{"event":"listening","protocol":1,"host":"127.0.0.1","port":8123,"pid":9,"version":"1.0","instance":"i"}',
    ),
  ).toEqual({event: 'listening', protocol: 1, host: '127.0.0.1', port: 8123, version: '1.0'});
  expect(parseEvent(JSON.stringify({event: 'state', state: 'failed', problem: {...PROBLEM, mood: 'low'}}))).toEqual({
    event: 'state',
    state: 'failed',
    problem: PROBLEM,
  });
  expect(parseEvent('{"event":"exit","code":"stopped"}')).toEqual({event: 'exit', code: 'stopped'});
});

test.each([
  'no JSON',
  '',
  '[]',
  'null',
  '7',
  '{}',
  '{"event":7}',
  '{"event":"later"}',
  '{"event":"state","state":"dreaming","problem":null}',
  '{"event":"listening"}',
  '{"event":"exit"}',
])('%j is no event', (line) => {
  expect(parseEvent(line)).toBeNull();
});

test('a problem without code is no problem', () => {
  expect(parseEvent('{"event":"state","state":"failed","problem":{"message":"x"}}')).toMatchObject({problem: null});
});
