/**
 * HTTP to one sidecar process. Every new connection is proven before a byte of the token travels on it, so a program
 * that takes the port after the sidecar died learns nothing.
 *
 * `node:http` with its own agent: Node 16 has no stable `fetch`, and no proxy setting reaches an agent of ours.
 */
import {createHmac, randomBytes, timingSafeEqual} from 'node:crypto';
import {Agent, request as httpRequest, type ClientRequestArgs, type IncomingMessage} from 'node:http';
import {Socket, connect} from 'node:net';
import type {Duplex} from 'node:stream';
import {SidecarError, bridgeProblem} from './problems.js';

const HOST = '127.0.0.1';
const PROOF_TIMEOUT_MS = 5_000;
const MAX_PROOF_ANSWER_BYTES = 16_384;
/** Idle connections go long before the server would close them, so that none breaks under a request. */
const IDLE_MS = 3_000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface Request {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @default 30000 */
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One event of a `text/event-stream`. */
export interface StreamEvent {
  /** Where to go on after it; null when it does not say. */
  readonly id: string | null;
  readonly data: string | null;
}

/** A stream that was asked for, and refused. */
export class StreamRefusedError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the stream was refused with status ${status}`);
    this.status = status;
  }
}

/** `hex(HMAC-SHA256(token, challenge))`, over the ASCII text of both. */
export function proofOf(token: string, challenge: string): string {
  return createHmac('sha256', token).update(challenge).digest('hex');
}

export class Endpoint {
  readonly baseUrl: string;
  readonly #port: number;
  readonly #token: string;
  readonly #agent: Agent;
  readonly #closing = new AbortController();

  constructor(port: number, token: string) {
    this.baseUrl = `http://${HOST}:${port}`;
    this.#port = port;
    this.#token = token;
    this.#agent = new ProvenAgent(token);
  }

  /** Value of `Authorization` for a call over one of `connect`'s connections. It must not leave the bridge. */
  get authorization(): string {
    return `Bearer ${this.#token}`;
  }

  /** Aborts with `close()`. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * A fresh connection whose other end has proven itself.
   *
   * @throws SidecarError `unreachable` or `proof-invalid`.
   */
  connect(): Promise<Socket> {
    return connectProven(this.#port, this.#token);
  }

  /**
   * Ask, with the token, and read the whole answer.
   *
   * @throws SidecarError `unreachable` or `proof-invalid`; the signal's reason if it aborts.
   */
  async ask(request: Request): Promise<Answer> {
    const response = await this.#open(request);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    } catch {
      throw failure(request.signal);
    }
    return {
      status: response.statusCode ?? 0,
      headers: flatten(response),
      body: Buffer.concat(chunks).toString('utf8'),
    };
  }

  /**
   * Open a `text/event-stream` and yield each event, until it ends or `signal` aborts.
   *
   * @param lastEventId where to go on.
   * @throws SidecarError `unreachable`; StreamRefusedError any other answer than 200.
   */
  async *events(path: string, signal: AbortSignal, lastEventId: string | null = null): AsyncGenerator<StreamEvent> {
    const response = await this.#open({
      method: 'GET',
      path,
      headers: {Accept: 'text/event-stream', ...(lastEventId === null ? {} : {'Last-Event-ID': lastEventId})},
      signal,
      timeoutMs: 0,
    });
    if (response.statusCode !== 200) {
      response.destroy();
      throw new StreamRefusedError(response.statusCode ?? 0);
    }
    response.setEncoding('utf8');
    let pending = '';
    try {
      for await (const chunk of response) {
        const blocks = (pending + String(chunk)).split(/\r?\n\r?\n/);
        pending = blocks.pop() ?? '';
        yield* blocks.map(streamEvent);
      }
    } catch {
      throw failure(signal);
    }
  }

  /** Close every connection. */
  close(): void {
    this.#closing.abort();
    this.#agent.destroy();
  }

  #open({method, path, headers, body, signal, timeoutMs = REQUEST_TIMEOUT_MS}: Request): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(failure(signal));
        return;
      }
      const request = httpRequest({
        host: HOST,
        port: this.#port,
        method,
        path,
        agent: this.#agent,
        headers: {
          ...headers,
          Authorization: this.authorization,
          ...(body === undefined ? {} : {'Content-Length': Buffer.byteLength(body)}),
        },
      });
      let response: IncomingMessage | null = null;
      // Node 16 forgets the request's own `signal` once the headers are there, and leaves the body without an end.
      const giveUp = (): void => {
        response?.destroy(failure(signal));
        request.destroy();
      };
      const deadline = timeoutMs === 0 ? undefined : setTimeout(giveUp, timeoutMs);
      signal?.addEventListener('abort', giveUp);
      request.once('close', () => {
        clearTimeout(deadline);
        signal?.removeEventListener('abort', giveUp);
      });
      request.once('response', (answer) => resolve((response = answer)));
      request.once('error', (error) => reject(error instanceof SidecarError ? error : failure(signal)));
      request.end(body);
    });
  }
}

/** Hands out connections only once the server at their other end has proven that it knows the token. */
class ProvenAgent extends Agent {
  readonly #token: string;

  constructor(token: string) {
    super({keepAlive: true, timeout: IDLE_MS});
    this.#token = token;
  }

  override createConnection(
    options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void connectProven(Number(options.port), this.#token).then(
      (socket) => callback?.(null, socket),
      (error: unknown) => callback?.(error instanceof Error ? error : new Error(String(error)), new Socket()),
    );
  }
}

async function connectProven(port: number, token: string): Promise<Socket> {
  const socket = connect({host: HOST, port, noDelay: true});
  try {
    await prove(socket, port, token);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Ask `GET /health` with a fresh challenge and check the proof; the connection is then free for a request. */
async function prove(socket: Socket, port: number, token: string): Promise<void> {
  const challenge = randomBytes(16).toString('hex');
  socket.write(`GET /health HTTP/1.1\r\nHost: ${HOST}:${port}\r\nTaskflow-Challenge: ${challenge}\r\n\r\n`);
  const headers = await readAnswer(socket);
  const given = Buffer.from(headers.get('taskflow-proof') ?? '');
  const expected = Buffer.from(proofOf(token, challenge));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new SidecarError(bridgeProblem('proof-invalid'));
  }
}

/** Read exactly one answer from a fresh connection and return its headers. */
function readAnswer(socket: Socket): Promise<ReadonlyMap<string, string>> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const finish = (settle: () => void): void => {
      clearTimeout(deadline);
      socket.off('data', onData).off('error', onFailure).off('close', onFailure);
      settle();
    };
    const onFailure = (): void => finish(() => reject(failure()));
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const answer = parseAnswer(received);
      if (answer === 'incomplete') return;
      finish(() => (answer === 'foreign' ? reject(new SidecarError(bridgeProblem('proof-invalid'))) : resolve(answer)));
    };
    const deadline = setTimeout(onFailure, PROOF_TIMEOUT_MS);
    socket.on('data', onData).on('error', onFailure).on('close', onFailure);
  });
}

function parseAnswer(received: Buffer): ReadonlyMap<string, string> | 'incomplete' | 'foreign' {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return received.length > MAX_PROOF_ANSWER_BYTES ? 'foreign' : 'incomplete';
  const [statusLine = '', ...lines] = received.subarray(0, headEnd).toString('latin1').split('\r\n');
  if (!statusLine.startsWith('HTTP/1.1 ')) return 'foreign';
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const bodyBytes = Number(headers.get('content-length'));
  if (!Number.isInteger(bodyBytes) || bodyBytes > MAX_PROOF_ANSWER_BYTES) return 'foreign';
  const missingBytes = headEnd + 4 + bodyBytes - received.length;
  if (missingBytes > 0) return 'incomplete';
  return missingBytes === 0 ? headers : 'foreign';
}

/** One block of a stream; comments have neither. */
function streamEvent(block: string): StreamEvent {
  const values = (field: string): string[] =>
    block
      .split(/\r?\n/)
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).replace(/^ /, ''));
  const data = values('data');
  return {id: values('id').pop() ?? null, data: data.length === 0 ? null : data.join('\n')};
}

function flatten(response: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** What a broken exchange is told as. The original error is left out: it may hold request headers. */
function failure(signal?: AbortSignal): Error {
  if (signal?.aborted === true) return Object.assign(new Error('The operation was aborted'), {name: 'AbortError'});
  return new SidecarError(bridgeProblem('unreachable'));
}
