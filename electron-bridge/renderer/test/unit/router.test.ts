import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {restate} from '../../src/app/router.js';

const replaceState = vi.fn();

beforeEach(() => {
  vi.stubGlobal('history', {state: null, replaceState});
  vi.stubGlobal('dispatchEvent', vi.fn());
  vi.stubGlobal('HashChangeEvent', Event);
});

afterEach(() => {
  vi.unstubAllGlobals();
  replaceState.mockReset();
});

test('a page changes its own part of the address', () => {
  vi.stubGlobal('location', {hash: '#/tasks?status=Blocked'});
  restate('/tasks', new URLSearchParams({search: 'plan'}));
  expect(replaceState).toHaveBeenCalledExactlyOnceWith(null, '', '#/tasks?search=plan');
});

test('a page that was left changes nothing, however late it is', () => {
  vi.stubGlobal('location', {hash: '#/standup'});
  restate('/tasks', new URLSearchParams({search: 'plan'}));
  expect(replaceState).not.toHaveBeenCalled();
});
