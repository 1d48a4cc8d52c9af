import {createServer, type IncomingMessage} from 'node:http';
import {createServer as createTcpServer, type AddressInfo, type Server} from 'node:net';
import {afterEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import {Endpoint, proofOf} from '../../src/endpoint.js';
import {openGateway} from '../../src/gateway.js';

const TOKEN = 'c0ffee'.repeat(10) + 'cafe';
const SYSTEM = {owner: {kind: 'system'}, provider: 'openai'} as const;
const ANN = {owner: {kind: 'user', id: 'ann'}, provider: 'openai'} as const;
const MINUTE = 60_000;

async function endpointOf(server: Server): Promise<Endpoint> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = new Endpoint((server.address() as AddressInfo).port, TOKEN);
  onTestFinished(() => {
    endpoint.close();
    server.close();
  });
  return endpoint;
}

/** A sidecar that makes tokens `user-1`, `user-2`, ... for a quarter of an hour, and keeps the headers of calls. */
class FakeSidecar {
  readonly calls: IncomingMessage['headers'][] = [];
  status = 200;
  #minted = 0;

  start(): Promise<Endpoint> {
    const server = createServer((request, response) => {
      const challenge = request.headers['taskflow-challenge'];
      if (typeof challenge === 'string') {
        response.writeHead(200, {'Taskflow-Proof': proofOf(TOKEN, challenge), 'Content-Length': 2}).end('{}');
      } else if (request.url === '/api/v1/auth/token') {
        const expiresAt = new Date(Date.now() + 15 * MINUTE).toISOString();
        this.#minted += 1;
        response.end(JSON.stringify({token: `user-${this.#minted}`, expires_at: expiresAt}));
      } else {
        this.calls.push(request.headers);
        response.writeHead(this.status).end('{}');
      }
    });
    return endpointOf(server);
  }
}

describe("the gateway's fetch", () => {
  afterEach(() => vi.useRealTimers());

  test('shows nothing to a program that took the port', async () => {
    let received = '';
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
      });
    });
    const endpoint = await endpointOf(server);
    const {baseURL, fetch} = await openGateway(SYSTEM, () => Promise.resolve(endpoint));

    const failure = await fetch(`${baseURL}/models`).catch((error: unknown) => error);

    expect(failure).toMatchObject({name: 'TypeError', cause: {code: 'proof-invalid'}});
    expect(received).toContain('GET /health');
    expect(received).not.toContain(TOKEN);
    expect(received).not.toContain('ai-gateway');
  });

  test('puts its credential in the place of whatever key the SDK sends', async () => {
    const fake = new FakeSidecar();
    const endpoint = await fake.start();
    const {baseURL, apiKey, fetch} = await openGateway(SYSTEM, () => Promise.resolve(endpoint));

    await fetch(`${baseURL}/models`, {headers: {'X-Api-Key': apiKey, 'X-Goog-Api-Key': apiKey, 'X-Else': 'kept'}});

    expect(fake.calls[0]).toMatchObject({'authorization': `Bearer ${TOKEN}`, 'x-else': 'kept'});
    expect(JSON.stringify(fake.calls)).not.toContain(apiKey);
  });

  test("renews a user's token before it expires, when it is refused, and for a new process", async () => {
    vi.useFakeTimers({toFake: ['Date']});
    const fake = new FakeSidecar();
    let endpoint = await fake.start();
    const {baseURL, apiKey, fetch} = await openGateway(ANN, () => Promise.resolve(endpoint));
    const call = async (): Promise<string> => (await fetch(`${baseURL}/models`)).text();

    await Promise.all([call(), call()]);
    vi.setSystemTime(Date.now() + 14 * MINUTE);
    await Promise.all([call(), call()]);
    fake.status = 401;
    await call();
    fake.status = 200;
    await call();
    endpoint = await fake.start();
    await call();

    expect(apiKey).toBe('user-1');
    expect(fake.calls.map(({authorization}) => authorization?.replace('Bearer user-', ''))).toEqual([
      '1',
      '1',
      '2',
      '2',
      '2',
      '3',
      '4',
    ]);
  });
});
