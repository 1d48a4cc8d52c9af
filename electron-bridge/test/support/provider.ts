/** A stand-in for AI providers, which streams as slowly as the test wants: chat as OpenAI and as Anthropic answer it. */
import {createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';

export const PIECES = ['One', ' two', ' three'];

interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const OPENAI_HEAD = {id: 'chatcmpl-1', created: 1, model: 'gpt-5'};
const OPENAI_USAGE = {prompt_tokens: 21, completion_tokens: 3, total_tokens: 24};
const ANTHROPIC_MESSAGE = {
  id: 'msg-1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [],
  stop_reason: null,
  usage: {input_tokens: 21, output_tokens: 1},
};

/** One streamed answer: its beginning, its pieces, its end. */
interface Script {
  readonly before: string;
  readonly piece: (text: string) => string;
  readonly after: string;
}

const named = (event: {type: string}): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const openAiChunk = (more: object): string =>
  `data: ${JSON.stringify({...OPENAI_HEAD, object: 'chat.completion.chunk', ...more})}\n\n`;

const OPENAI: Script = {
  before: '',
  piece: (content) => openAiChunk({choices: [{index: 0, delta: {content}}]}),
  after: `${openAiChunk({choices: [], usage: OPENAI_USAGE})}data: [DONE]\n\n`,
};
const ANTHROPIC: Script = {
  before:
    named({type: 'message_start', ...{message: ANTHROPIC_MESSAGE}}) +
    named({type: 'content_block_start', ...{index: 0, content_block: {type: 'text', text: ''}}}),
  piece: (text) => named({type: 'content_block_delta', ...{index: 0, delta: {type: 'text_delta', text}}}),
  after:
    named({type: 'content_block_stop', ...{index: 0}}) +
    named({type: 'message_delta', ...{delta: {stop_reason: 'end_turn'}, usage: {output_tokens: 3}}}) +
    named({type: 'message_stop'}),
};

export class Provider {
  received: Received[] = [];
  /** How often a caller hung up in the middle of an answer. */
  hangUps = 0;
  /** Which answers send every piece at once, without `next()`. */
  isHasty: (received: Received) => boolean = () => false;
  #release: (() => void)[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  /** @returns its origin. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Forget what was received. */
  reset(): void {
    this.received = [];
    this.hangUps = 0;
  }

  /** Let the next piece go. */
  next(): void {
    this.#release.shift()?.();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += String(piece);
    const received = {url: String(request.url), headers: request.headers, body};
    this.received.push(received);
    const asked = JSON.parse(body || '{}') as {stream?: boolean};
    if (asked.stream === true) await this.#stream(response, received);
    else this.#whole(response, String(request.headers.authorization));
  }

  #whole(response: ServerResponse, echo: string): void {
    const message = {role: 'assistant', content: PIECES.join('')};
    const choices = [{index: 0, message, finish_reason: 'stop'}];
    response.writeHead(200, {'Content-Type': 'application/json', 'X-Echo': echo});
    response.end(JSON.stringify({...OPENAI_HEAD, object: 'chat.completion', choices, usage: OPENAI_USAGE}));
  }

  async #stream(response: ServerResponse, received: Received): Promise<void> {
    const {before, piece, after} = received.url === '/v1/messages' ? ANTHROPIC : OPENAI;
    response.on('close', () => (this.hangUps += response.writableFinished ? 0 : 1));
    response.writeHead(200, {'Content-Type': 'text/event-stream'});
    response.write(before);
    for (const text of PIECES) {
      response.write(piece(text));
      if (!this.isHasty(received)) await new Promise<void>((resolve) => this.#release.push(resolve));
    }
    response.end(after);
  }
}
