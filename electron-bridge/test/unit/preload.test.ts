import {beforeEach, expect, test, vi} from 'vitest';
import {ANNOUNCE_CHANNELS, INVOKE_CHANNELS, type SidecarApi} from '../../src/contract.js';

const electron = vi.hoisted(() => ({
  contextBridge: {exposeInMainWorld: vi.fn()},
  ipcRenderer: {invoke: vi.fn(), on: vi.fn(), removeListener: vi.fn()},
  webUtils: undefined as {getPathForFile(file: File): string} | undefined,
}));
vi.mock('electron', () => electron);

import {exposeSidecar} from '../../src/preload.js';

const {invoke, on, removeListener} = electron.ipcRenderer;

beforeEach(() => {
  vi.clearAllMocks();
  invoke.mockResolvedValue({ok: true, value: 'now'});
});

function exposed(): SidecarApi {
  exposeSidecar();
  const [name, api] = electron.contextBridge.exposeInMainWorld.mock.calls[0] as [string, SidecarApi];
  expect(name).toBe('taskflow');
  return api;
}

test('functions are exposed and nothing else, one for each channel', async () => {
  const api = exposed();
  expect(Object.values(api).every((value) => typeof value === 'function')).toBe(true);
  const {watch, onStatus, onChange, pathOf, ...calls} = api;
  for (const own of [watch, onStatus, onChange, pathOf]) expect(typeof own).toBe('function');

  for (const [name, call] of Object.entries(calls)) {
    await (call as (...args: unknown[]) => Promise<unknown>)({some: 'argument'});
    expect(invoke).toHaveBeenLastCalledWith(INVOKE_CHANNELS[name as keyof typeof calls], {some: 'argument'});
  }
  const subscriptions = ['subscribe', 'unsubscribe', 'subscribeChanges', 'unsubscribeChanges'];
  expect([...Object.keys(calls), ...subscriptions].sort()).toEqual(Object.keys(INVOKE_CHANNELS).sort());
});

test('a chosen file tells where it is, in Electrons with and without webUtils', () => {
  const {pathOf} = exposed();
  const file = {path: '/of/the/file'} as unknown as File;

  expect(pathOf(file)).toBe('/of/the/file');
  expect(pathOf({} as File)).toBe('');
  electron.webUtils = {getPathForFile: () => '/of/webUtils'};
  expect(pathOf({} as File)).toBe('/of/webUtils');
  electron.webUtils = undefined;
});

test('watching gives the present snapshot and later ones, without the event, until it ends', async () => {
  const api = exposed();
  const seen: unknown[] = [];

  const stop = api.watch((snapshot) => seen.push(snapshot));
  await vi.waitFor(() => expect(seen).toEqual(['now']));
  const [channel, listener] = on.mock.calls[0] as [string, (event: unknown, snapshot: unknown) => void];
  listener({sender: 'ipcRenderer'}, 'later');
  stop();
  stop();

  expect(channel).toBe(ANNOUNCE_CHANNELS.snapshot);
  expect(seen).toEqual(['now', 'later']);
  expect(removeListener).toHaveBeenCalledExactlyOnceWith(channel, listener);
  expect(invoke.mock.calls.map(([name]) => name as string)).toEqual([
    INVOKE_CHANNELS.subscribe,
    INVOKE_CHANNELS.unsubscribe,
  ]);
});

test('the main process is unsubscribed from only when the last listener leaves', async () => {
  const api = exposed();

  const stops = [api.watch(() => undefined), api.watch(() => undefined)];
  stops[0]?.();
  expect(invoke).not.toHaveBeenCalledWith(INVOKE_CHANNELS.unsubscribe);
  stops[1]?.();

  await vi.waitFor(() => expect(invoke).toHaveBeenCalledWith(INVOKE_CHANNELS.unsubscribe));
});
