import {afterEach, describe, expect, test, vi} from 'vitest';
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

  const {data} = await createSidecarClient({request}).GET('/api/v1/members', {headers: {'If-Match': '"1"'}});

  expect(data).toEqual([]);
  expect(request).toHaveBeenCalledWith({method: 'GET', path: '/api/v1/members', body: undefined, ifMatch: '"1"'});
});

test('in a page, a call without an answer rejects with its code', async () => {
  const error = {code: 'not-running', message: 'The sidecar is not running.', status: null};
  const client = createSidecarClient({request: () => Promise.resolve({ok: false, error})});

  await expect(client.GET('/api/v1/members')).rejects.toEqual(new CallFailedError(error));
});
