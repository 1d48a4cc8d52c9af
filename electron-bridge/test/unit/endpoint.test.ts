import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createTcpServer, type AddressInfo, type Server as TcpServer} from 'node:net';
import {afterEach, describe, expect, test} from 'vitest';
import {Endpoint, proofOf, type StreamEvent} from '../../src/endpoint.js';

const TOKEN = 'c0ffee'.repeat(10) + 'cafe';
const closing: (() => void)[] = [];

afterEach(() => {
  closing.splice(0).forEach((close) => close());
});

async function listening(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function endpointAt(port: number): Endpoint {
  const endpoint = new Endpoint(port, TOKEN);
  closing.push(() => endpoint.close());
  return endpoint;
}

/** A server that can prove itself, and then answers by `handle`. */
async function honest(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Endpoint> {
  const server = createServer((request, response) => {
    const challenge = request.headers['taskflow-challenge'];
    if (typeof challenge !== 'string') handle(request, response);
    else response.writeHead(503, {'Taskflow-Proof': proofOf(TOKEN, challenge), 'Content-Length': 2}).end('{}');
  });
  return endpointAt(await listening(server));
}

test('the proof is HMAC-SHA256 over the ASCII text of the challenge, keyed with that of the token', () => {
  // RFC 4231, test case 2
  expect(proofOf('Jefe', 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

describe('a program that took the port', () => {
  test.each([
    {name: 'closes', reply: ''},
    {name: 'speaks no HTTP', reply: 'SSH-2.0-OpenSSH\r\n\r\n'},
    {name: 'answers without a proof', reply: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'},
    {
      name: 'answers with a wrong proof',
      reply: `HTTP/1.1 200 OK\r\nTaskflow-Proof: ${'0'.repeat(64)}\r\nContent-Length: 2\r\n\r\n{}`,
    },
    {name: 'answers for ever', reply: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`},
    {name: 'announces an endless body', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'},
  ])('and $name gets no byte of the token', async ({reply}) => {
    let received = '';
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
        if (reply === '') socket.destroy();
        else socket.write(reply);
      });
    });
    const endpoint = endpointAt(await listening(server));

    const ask = endpoint.ask({method: 'POST', path: '/api/v1/members', body: '{}'});

    await expect(ask).rejects.toMatchObject({name: 'SidecarError'});
    expect(received).toMatch(/^GET \/health HTTP\/1\.1\r\n/);
    expect(received).not.toContain('Authorization');
    expect(received).not.toContain(TOKEN.slice(0, 8));
    expect(received).not.toContain('/api');
  });
});

describe('a proven server', () => {
  test('gets the token, and is proven once per connection', async () => {
    const seen: (string | undefined)[] = [];
    const endpoint = await honest((request, response) => {
      seen.push(request.headers.authorization);
      response.end('hello');
    });

    const first = await endpoint.ask({method: 'GET', path: '/a'});
    const second = await endpoint.ask({method: 'GET', path: '/b'});

    expect([first.body, second.body]).toEqual(['hello', 'hello']);
    expect(seen).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
  });

  test('a caller cannot replace the token', async () => {
    const endpoint = await honest((request, response) => response.end(request.headers.authorization));

    const answer = await endpoint.ask({method: 'GET', path: '/', headers: {Authorization: 'Bearer mine'}});

    expect(answer.body).toBe(`Bearer ${TOKEN}`);
  });

  test('headers, status and body beyond ASCII arrive', async () => {
    const endpoint = await honest((request, response) => {
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (chunk: string) => (body += chunk));
      request.on('end', () => response.writeHead(409, {'Taskflow-Error-Code': 'conflict'}).end(body));
    });

    const answer = await endpoint.ask({method: 'PUT', path: '/', body: 'zwei Wörter ✓'});

    expect(answer).toMatchObject({status: 409, body: 'zwei Wörter ✓', headers: {'taskflow-error-code': 'conflict'}});
  });

  test('an answer that does not come is given up after the time-out', async () => {
    const endpoint = await honest(() => undefined);

    await expect(endpoint.ask({method: 'GET', path: '/', timeoutMs: 100})).rejects.toMatchObject({code: 'unreachable'});
  });

  test('aborting rejects with an AbortError', async () => {
    const endpoint = await honest(() => undefined);
    const controller = new AbortController();
    const ask = endpoint.ask({method: 'GET', path: '/', signal: controller.signal});

    setImmediate(() => controller.abort());

    await expect(ask).rejects.toMatchObject({name: 'AbortError'});
  });

  test('events are read however they are cut', async () => {
    const endpoint = await honest((_request, response) => {
      response.writeHead(200, {'Content-Type': 'text/event-stream'});
      for (const piece of [
        ': comment\n\nda',
        'ta: {"a":1}\nid: 7\n',
        '\nevent: x\r',
        '\ndata: b\r\n\r',
        '\n',
        'data: c\ndata: d\n\n',
      ]) {
        response.write(piece);
      }
      response.end();
    });

    const events: StreamEvent[] = [];
    for await (const event of endpoint.events('/events', new AbortController().signal)) events.push(event);

    expect(events).toEqual([
      {id: null, data: null},
      {id: '7', data: '{"a":1}'},
      {id: null, data: 'b'},
      {id: null, data: 'c\nd'},
    ]);
  });
});

test('a port on which nothing listens is unreachable', async () => {
  const server = createTcpServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));

  await expect(endpointAt(port).ask({method: 'GET', path: '/'})).rejects.toMatchObject({code: 'unreachable'});
});
