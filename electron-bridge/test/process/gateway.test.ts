import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import OpenAI from 'openai';
import {describe, expect, onTestFinished, test} from 'vitest';
import {real, sidecar, temporaryFolder} from '../support/real.js';

const KEY = 'sk-canary-of-the-gateway-0123456789';
const USAGE = {prompt_tokens: 21, completion_tokens: 3, total_tokens: 24};
const HEAD = {id: 'chatcmpl-1', created: 1, model: 'gpt-5'};
const PIECES = ['One', ' two', ' three'];

/** A provider that sends each event of a stream when the test says so. */
class Provider {
  readonly requests: IncomingMessage['headers'][] = [];
  #release: (() => void)[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Let the next event go. */
  next(): void {
    this.#release.shift()?.();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(request.headers);
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += String(piece);
    if (!(JSON.parse(body) as {stream?: boolean}).stream) {
      const message = {role: 'assistant', content: PIECES.join('')};
      const choices = [{index: 0, message, finish_reason: 'stop'}];
      response.writeHead(200, {'Content-Type': 'application/json', 'X-Echo': String(request.headers.authorization)});
      response.end(JSON.stringify({...HEAD, object: 'chat.completion', choices, usage: USAGE}));
      return;
    }
    response.writeHead(200, {'Content-Type': 'text/event-stream'});
    const chunk = {...HEAD, object: 'chat.completion.chunk'};
    for (const content of PIECES) {
      response.write(`data: ${JSON.stringify({...chunk, choices: [{index: 0, delta: {content}}]})}\n\n`);
      await new Promise<void>((resolve) => this.#release.push(resolve));
    }
    response.end(`data: ${JSON.stringify({...chunk, choices: [], usage: USAGE})}\n\ndata: [DONE]\n\n`);
  }
}

describe.skipIf(sidecar.missing !== null)("the OpenAI SDK through the sidecar's gateway", () => {
  test('chats with a key that it never sees, at once and in a stream', async () => {
    const provider = new Provider();
    const started = real({
      configDir: temporaryFolder(),
      env: {OPENAI_BASE_URL: await provider.listen()},
      secrets: {jwtSecretKey: 'a secret of the tests for tokens of users'},
    }).sidecar;
    await started.ready();
    const owner = {owner_kind: 'user', owner_id: 'ann', name: 'openai'} as const;
    await started.client.POST('/api/v1/vault/bulk', {body: {operations: [{op: 'set', ...owner, secret: KEY}]}});
    const apiKey = await tokenOf(started.client, 'ann');
    const baseURL = `${String(started.baseUrl)}/ai-gateway/user/ann/openai/v1`;
    const client = new OpenAI({baseURL, apiKey, maxRetries: 0});
    const asked = {model: 'gpt-5', messages: [{role: 'user', content: 'Count.'}]} as const;

    const {data: whole, response} = await client.chat.completions
      .create({...asked, messages: [...asked.messages]})
      .withResponse();
    const stream = await client.chat.completions.create({...asked, messages: [...asked.messages], stream: true});
    const pieces: unknown[] = [];
    for await (const {choices} of stream) {
      pieces.push(...choices.map(({delta}) => delta.content));
      provider.next(); // only now: the piece has arrived before the provider sends another
    }

    expect(whole.choices[0]?.message.content).toBe('One two three');
    expect(response.headers.get('x-echo')).toBe(`Bearer ${'*'.repeat(KEY.length)}`);
    expect(pieces).toEqual(PIECES);
    expect(provider.requests.map(({authorization}) => authorization)).toEqual([`Bearer ${KEY}`, `Bearer ${KEY}`]);
    expect(JSON.stringify(provider.requests)).not.toContain(apiKey);
  });

  test('tells what is missing', async () => {
    const started = real({
      configDir: temporaryFolder(),
      secrets: {jwtSecretKey: 'a secret of the tests for tokens of users'},
    }).sidecar;
    await started.ready();
    const apiKey = await tokenOf(started.client, 'ann');
    const client = new OpenAI({
      baseURL: `${String(started.baseUrl)}/ai-gateway/user/ann/openai/v1`,
      apiKey,
      maxRetries: 0,
    });

    const refused = await client.models.list().catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(OpenAI.APIError);
    expect(refused).toMatchObject({status: 402});
    expect(String(refused)).toContain("No OpenAI key is stored. Enter one in the user's API keys.");
  });
});

/** A user's token, as the launcher gets one. */
async function tokenOf(client: {request?: unknown; POST: unknown}, userId: string): Promise<string> {
  const post = client.POST as (path: string, options: object) => Promise<{data?: {token: string}}>;
  const {data} = await post('/api/v1/auth/token', {body: {user_id: userId}});
  if (data === undefined) throw new Error('no token');
  return data.token;
}
