import {describe, expect, test, vi} from 'vitest';
import {
  ANNOUNCE_CHANNELS,
  INVOKE_CHANNELS,
  type Change,
  type InvokeName,
  type SidecarState,
  type Snapshot,
} from '../../src/contract.js';
import type {Answer, Request} from '../../src/endpoint.js';
import {registerSidecarIpc, type InvokeEventLike, type SenderLike, type SidecarIpcOptions} from '../../src/ipc.js';
import {SidecarError, bridgeProblem} from '../../src/problems.js';
import type {Sidecar} from '../../src/sidecar.js';

const SNAPSHOT: Snapshot = {state: {kind: 'ready', baseUrl: 'http://127.0.0.1:1'}, status: null, custody: null};
const SETTINGS = {dsn: 'postgresql://u:p@h/d'};
const HERE = 'file:///app/index.html';

type Listener = (event: InvokeEventLike, ...args: unknown[]) => unknown;

class FakeIpcMain {
  readonly handlers = new Map<string, Listener>();

  handle(channel: string, listener: Listener): void {
    this.handlers.set(channel, listener);
  }

  removeHandler(channel: string): void {
    this.handlers.delete(channel);
  }
}

class FakeSender implements SenderLike {
  readonly received: unknown[][] = [];
  onDestroyed: (() => void) | null = null;
  readonly id: number;

  constructor(id = 1) {
    this.id = id;
  }

  isDestroyed(): boolean {
    return false;
  }

  send(...args: unknown[]): void {
    this.received.push(args);
  }

  once(_event: 'destroyed', listener: () => void): void {
    this.onDestroyed = listener;
  }
}

function registered(reply: Partial<Answer> | Error = {}, options: SidecarIpcOptions = {}) {
  const ipcMain = new FakeIpcMain();
  const asked: Request[] = [];
  const listeners = new Set<(snapshot: Snapshot) => void>();
  const sidecar = {
    snapshot: SNAPSHOT,
    start: vi.fn(() => Promise.resolve()),
    recover: vi.fn(() => Promise.resolve()),
    writeSupportBundle: vi.fn(() => Promise.resolve()),
    async *events(): AsyncGenerator<Change> {
      yield {resource: '*', change: 'resync', lastEventId: '7'};
      await new Promise(() => undefined);
    },
    ask(request: Request): Promise<Answer> {
      asked.push(request);
      return reply instanceof Error
        ? Promise.reject(reply)
        : Promise.resolve({status: 200, headers: {}, body: '{}', ...reply});
    },
    on(_event: string, listener: (snapshot: Snapshot) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const dispose = registerSidecarIpc(ipcMain, sidecar as unknown as Sidecar, options);
  const sender = new FakeSender();
  const invoke = async (
    name: InvokeName,
    args: unknown[] = [],
    frame: {url: string; parent: unknown} | null = {url: HERE, parent: null},
    from: SenderLike = sender,
  ) =>
    (await ipcMain.handlers.get(INVOKE_CHANNELS[name])?.({sender: from, senderFrame: frame}, ...args)) as
      {ok: boolean} | undefined;
  return {ipcMain, sidecar, asked, listeners, dispose, sender, invoke};
}

test('exactly the channels of the contract are handled, and given back', () => {
  const {ipcMain, dispose, listeners} = registered();

  expect([...ipcMain.handlers.keys()].sort()).toEqual(Object.values(INVOKE_CHANNELS).sort());
  dispose();

  expect(ipcMain.handlers.size).toBe(0);
  expect(listeners.size).toBe(0);
});

test('every page that follows the changes begins with a resync, the second one too', async () => {
  const {invoke} = registered();
  const [first, second] = [new FakeSender(1), new FakeSender(2)];
  const resync = [ANNOUNCE_CHANNELS.change, {resource: '*', change: 'resync', lastEventId: '7'}];
  const frame = {url: HERE, parent: null};

  await invoke('subscribeChanges', [], frame, first);
  await vi.waitFor(() => expect(first.received).toEqual([resync]));
  await invoke('subscribeChanges', [], frame, second);

  expect(second.received).toEqual([resync]);
  expect(first.received).toEqual([resync]);
});

describe('each function', () => {
  test.each([
    ['retry', [], 'POST', '/api/v1/settings/retry'],
    ['testConnection', [SETTINGS], 'POST', '/api/v1/settings/test-connection'],
    ['saveConnection', [SETTINGS], 'POST', '/api/v1/settings/save-connection'],
    ['deleteConnection', [], 'DELETE', '/api/v1/settings/connection'],
    ['readConnection', [], 'GET', '/api/v1/settings/connection'],
  ] as const)('%s asks its resource', async (name, args, method, path) => {
    const {invoke, asked} = registered();

    expect(await invoke(name, [...args])).toMatchObject({ok: true});

    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({method, path});
    if (args.length > 0) expect(JSON.parse(asked[0]?.body ?? '')).toEqual(SETTINGS);
  });

  test('saveConnection tests first when asked to', async () => {
    const {invoke, asked} = registered();

    expect(await invoke('saveConnection', [SETTINGS, {test: true}])).toMatchObject({ok: true});
    expect(await invoke('saveConnection', [SETTINGS, {test: 'yes'}])).toMatchObject({ok: false});
    expect(await invoke('saveConnection', [SETTINGS, {path: '/'}])).toMatchObject({ok: false});

    expect(asked.map(({path}) => path)).toEqual(['/api/v1/settings/save-connection?test=true']);
  });

  test('testConnection tells what the sidecar found, and nothing of a header that says nothing', async () => {
    const header =
      'reach;dur=0.4, login;dur=8.1, query;dur=12, server;desc="18.4 (Debian, 1)", encryption;desc="TLSv1.3"';
    const test = async (timing?: string): Promise<unknown> =>
      registered({status: 200, headers: timing === undefined ? {} : {'server-timing': timing}}).invoke(
        'testConnection',
        [SETTINGS],
      );

    expect(await test(header)).toEqual({
      ok: true,
      value: {
        serverVersion: '18.4 (Debian, 1)',
        encryption: 'TLSv1.3',
        phases: [
          {name: 'reach', ms: 0.4},
          {name: 'login', ms: 8.1},
          {name: 'query', ms: 12},
        ],
      },
    });
    for (const other of [undefined, '', 'junk;;dur=x, login;dur=-1'])
      expect(await test(other)).toEqual({ok: true, value: {serverVersion: null, encryption: null, phases: []}});
  });

  test('saveSupportBundle writes where the person says, never where the page says', async () => {
    const chooseBundleFile = vi.fn<() => Promise<string | null>>();
    const {invoke, sidecar} = registered({}, {chooseBundleFile});
    chooseBundleFile.mockResolvedValueOnce(null).mockResolvedValueOnce('/chosen.zip');

    expect(await invoke('saveSupportBundle')).toEqual({ok: true, value: false});
    expect(await invoke('saveSupportBundle', ['/of/the/page'])).toMatchObject({ok: false});
    expect(await invoke('saveSupportBundle')).toEqual({ok: true, value: true});

    expect(sidecar.writeSupportBundle).toHaveBeenCalledExactlyOnceWith('/chosen.zip');
  });

  test('recover hands the text over', async () => {
    const {invoke, sidecar} = registered();

    expect(await invoke('recover', ['key'])).toEqual({ok: true, value: null});
    expect(await invoke('recover', [{}])).toMatchObject({ok: false, error: {code: 'invalid-argument'}});

    expect(sidecar.recover).toHaveBeenCalledExactlyOnceWith('key');
  });

  test('startAgain starts', async () => {
    const {invoke, sidecar} = registered();

    await invoke('startAgain');

    expect(sidecar.start).toHaveBeenCalledOnce();
  });

  test('no saved connection is a value, not an error', async () => {
    const {invoke} = registered({status: 404, body: '{"error":"No connection is saved"}'});

    expect(await invoke('readConnection')).toEqual({ok: true, value: null});
  });

  test('a refusal arrives with its sentence, code and status', async () => {
    const {invoke} = registered({
      status: 400,
      headers: {'taskflow-error-code': 'password-rejected'},
      body: '{"error":"Connection failed: wrong."}',
    });

    expect(await invoke('testConnection', [SETTINGS])).toEqual({
      ok: false,
      error: {code: 'password-rejected', message: 'Connection failed: wrong.', status: 400},
    });
  });

  test.each([
    [new SidecarError(bridgeProblem('not-running')), 'not-running'],
    [new Error('with a secret'), 'internal'],
  ])('a failure without an answer arrives worded: %s', async (error, code) => {
    const {invoke} = registered(error);

    const result = await invoke('retry');

    expect(result).toMatchObject({ok: false, error: {code, status: null}});
    expect(JSON.stringify(result)).not.toContain('secret');
  });
});

describe('who may call', () => {
  test.each([
    {name: 'a page from the web', frame: {url: 'https://evil.example/', parent: null}},
    {name: 'a frame inside our page', frame: {url: HERE, parent: {}}},
    {name: 'a frame that is gone', frame: null},
    {name: 'a file of another host', frame: {url: 'file://evil/share/index.html', parent: null}},
    {name: 'no URL', frame: {url: '', parent: null}},
    {name: 'a similar origin', frame: {url: 'app://taskflow.evil/', parent: null}},
  ])('not $name', async ({frame}) => {
    const {invoke, asked} = registered({}, {trustedOrigins: ['app://taskflow']});

    for (const name of Object.keys(INVOKE_CHANNELS) as InvokeName[]) {
      const result = await invoke(name, [], frame);
      expect(['forbidden', 'untrusted-origin']).toContain((result as {error?: {code: string}}).error?.code);
    }
    expect(asked).toEqual([]);
  });

  test('a page that is refused is told which origin to trust, and the log once', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const {invoke} = registered();
    const frame = {url: 'http://localhost:5173/index.html', parent: null};

    await invoke('retry', [], frame);
    const result = await invoke('retry', [], frame);

    const sentence =
      'A page of the origin http://localhost:5173 may not talk to the sidecar: name it in trustedOrigins';
    expect(result).toMatchObject({error: {code: 'untrusted-origin', message: sentence}});
    expect(warned).toHaveBeenCalledExactlyOnceWith(`[taskflow] ${sentence} of registerSidecarIpc.`);
    warned.mockRestore();
  });

  test.each([
    ['an app that is developed', true, true],
    ['a packaged app', undefined, false],
  ])('the dev server that the environment names is trusted by %s: %s', async (_name, defaultApp, isTrusted) => {
    vi.stubEnv('ELECTRON_RENDERER_URL', 'http://localhost:5173/');
    const running = process as {defaultApp?: boolean | undefined};
    running.defaultApp = defaultApp;
    const {invoke} = registered();

    const result = await invoke('retry', [], {url: 'http://localhost:5173/index.html', parent: null});

    vi.unstubAllEnvs();
    Reflect.deleteProperty(running, 'defaultApp');
    expect(result?.ok).toBe(isTrusted);
  });

  test.each(['app://taskflow/index.html', 'http://localhost:5173/x', HERE])('but %s', async (url) => {
    const {invoke} = registered({}, {trustedOrigins: ['app://taskflow', 'http://localhost:5173']});

    expect(await invoke('retry', [], {url, parent: null})).toMatchObject({ok: true});
  });
});

describe('forwarding', () => {
  test("the team's work passes, with chosen headers both ways", async () => {
    const {invoke, asked} = registered({
      status: 201,
      headers: {'etag': '"1"', 'set-cookie': 'x', 'server': 'y'},
      body: '[]',
    });
    const request = {
      method: 'PATCH',
      path: '/api/v1/tasks/7?x=1',
      body: '{}',
      headers: {'if-match': '"0"', 'idempotency-key': 'k'},
    };

    expect(await invoke('request', [request])).toEqual({
      ok: true,
      value: {status: 201, headers: {etag: '"1"'}, body: '[]'},
    });

    expect(asked).toEqual([
      {
        method: 'PATCH',
        path: '/api/v1/tasks/7?x=1',
        headers: {'Content-Type': 'application/json', 'If-Match': '"0"', 'Idempotency-Key': 'k'},
        body: '{}',
        signal: expect.any(AbortSignal) as AbortSignal,
      },
    ]);
  });

  test.each([
    '/api/v1/shutdown',
    '/api/v1/settings/connection',
    '/api/v1/membership',
    '/api/v1/updates',
    '/api/v1/updates/all',
    '/api/v1/auth/token',
    '/api/v1/vault',
  ])('%s does not pass by default', async (path) => {
    const {invoke, asked} = registered();

    expect(await invoke('request', [{method: 'POST', path}])).toMatchObject({ok: false, error: {code: 'forbidden'}});
    expect(asked).toEqual([]);
  });

  test.each([
    ['GET', '/api/v1/members'],
    ['POST', '/api/v1/members/1/reassign'],
    ['GET', '/api/v1/tasks/counts?status=Done'],
    ['PUT', '/api/v1/tasks/1/subtasks/reorder'],
    ['PATCH', '/api/v1/tasks/1/updates/2'],
    ['GET', '/api/v1/updates?since=2026-01-01T00:00:00Z'],
  ])('%s %s is the team’s work and passes', async (method, path) => {
    const {invoke, asked} = registered();

    expect(await invoke('request', [{method, path}])).toMatchObject({ok: true});
    expect(asked).toMatchObject([{method, path}]);
  });

  test('the app decides what passes, by method and path without the query', async () => {
    const allowRequest = vi.fn(() => true);
    const {invoke} = registered({}, {allowRequest});

    await invoke('request', [{method: 'GET', path: '/api/v1/audit?limit=1'}]);

    expect(allowRequest).toHaveBeenCalledExactlyOnceWith({method: 'GET', path: '/api/v1/audit'});
  });
});

test('snapshots go to windows that subscribed, once each, until they leave', async () => {
  const {invoke, listeners, sender} = registered();
  const other = new FakeSender(2);
  const announce = (state: SidecarState): void => listeners.forEach((listener) => listener({...SNAPSHOT, state}));

  expect(await invoke('subscribe')).toEqual({ok: true, value: SNAPSHOT});
  await invoke('subscribe');
  await invoke('subscribe', [], {url: HERE, parent: null}, other);
  announce({kind: 'launching', launch: 1});
  announce({kind: 'stopping'}); // in the same turn, which is told once
  await Promise.resolve();
  await invoke('unsubscribe');
  other.onDestroyed?.();
  announce({kind: 'stopped', forced: false});
  await Promise.resolve();

  expect(sender.received).toEqual([['taskflow:snapshot', {...SNAPSHOT, state: {kind: 'stopping'}}]]);
  expect(other.received).toHaveLength(1);
});
