import {afterEach, describe, expect, test, vi} from 'vitest';
import type {ForwardedRequest} from '../../src/contract.js';
import {clientOver, type ClientAnswer, type ClientCall} from '../../src/client.js';
import {CallFailedError, createSidecarClient} from '../../src/renderer.js';

afterEach(() => vi.unstubAllGlobals());

const MEMBER = {id: '1', name: 'Ada', email: 'ada@example.org', active: true};

function clientAnswering(answer: Partial<ClientAnswer>) {
  const calls: ClientCall[] = [];
  const client = clientOver((call) => {
    calls.push(call);
    return Promise.resolve({status: 200, headers: {}, body: '', ...answer});
  });
  return {client, calls};
}

// Node 16 has no Response of its own.
describe.each([{platform: 'with Response'}, {platform: 'without Response'}])(
  'a client on a platform $platform',
  ({platform}) => {
    const prepare = (): void => {
      if (platform === 'without Response') vi.stubGlobal('Response', undefined);
    };

    test('turns typed calls into method, path, headers and JSON text', async () => {
      prepare();
      const {client, calls} = clientAnswering({status: 201, body: JSON.stringify(MEMBER)});

      const {data, response} = await client.POST('/api/v1/members', {body: {name: 'Ada', email: 'ada@example.org'}});

      expect(calls).toMatchObject([
        {
          method: 'POST',
          path: '/api/v1/members',
          headers: {'content-type': 'application/json'},
          body: '{"name":"Ada","email":"ada@example.org"}',
        },
      ]);
      expect(data).toEqual(MEMBER);
      expect(response.status).toBe(201);
      expect(response.ok).toBe(true);
    });

    test('fills path parameters, encoded', async () => {
      prepare();
      const {client, calls} = clientAnswering({status: 204});

      const {data, error} = await client.DELETE('/api/v1/members/{id}', {params: {path: {id: 'a/b'}}});

      expect(calls[0]?.path).toBe('/api/v1/members/a%2Fb');
      expect(data).toBeUndefined();
      expect(error).toBeUndefined();
    });

    test('gives an error answer as `error`, with its headers', async () => {
      prepare();
      const {client} = clientAnswering({
        status: 409,
        headers: {'taskflow-error-code': 'conflict'},
        body: '{"error":"Taken"}',
      });

      const {data, error, response} = await client.GET('/api/v1/members');

      expect(data).toBeUndefined();
      expect(error).toEqual({error: 'Taken'});
      expect(response.headers.get('Taskflow-Error-Code')).toBe('conflict');
    });
  },
);

test('in a page, calls go through the exposed function', async () => {
  const request = vi.fn(() => Promise.resolve({ok: true as const, value: {status: 200, headers: {}, body: '[]'}}));

  const client = createSidecarClient({request, cancel: vi.fn()});

  const {data} = await client.GET('/api/v1/members', {headers: {'If-Match': '"1"'}});

  expect(data).toEqual([]);
  expect(request).toHaveBeenCalledWith({
    method: 'GET',
    path: '/api/v1/members',
    body: undefined,
    headers: {'if-match': '"1"'},
    id: expect.any(String) as string,
  });
});

test('in a page, a call without an answer rejects with its code', async () => {
  const error = {code: 'not-running', message: 'The sidecar is not running.', status: null};
  const client = createSidecarClient({request: () => Promise.resolve({ok: false, error}), cancel: vi.fn()});

  await expect(client.GET('/api/v1/members')).rejects.toEqual(new CallFailedError(error));
});

test('in a page, a call that is given up rejects at once, and is given up in the main process too', async () => {
  const asking: ForwardedRequest[] = [];
  const request = (call: ForwardedRequest): Promise<never> => {
    asking.push(call);
    return new Promise(() => undefined);
  };
  const cancel = vi.fn(() => Promise.resolve({ok: true as const, value: null}));
  const leaving = new AbortController();

  const asked = createSidecarClient({request, cancel}).GET('/api/v1/members', {signal: leaving.signal});
  await vi.waitFor(() => expect(asking).toHaveLength(1));
  leaving.abort();

  await expect(asked).rejects.toMatchObject({name: 'AbortError'});
  expect(cancel).toHaveBeenCalledExactlyOnceWith(asking[0]?.id);
});
