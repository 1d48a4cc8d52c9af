import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import type {GatewayOwner, Sidecar} from '../../src/index.js';
import {descendants} from '../support/processes.js';
import {PIECES, Provider} from '../support/provider.js';
import {real, sidecar, start, temporaryFolder} from '../support/real.js';
import {until} from '../support/until.js';

const KEY = 'sk-canary-of-the-gateway-0123456789';
const CHAT = {model: 'gpt-5', messages: [{role: 'user' as const, content: 'Count.'}]};
const ANN = {kind: 'user', id: 'ann'} as const;
const SECRETS = {jwtSecretKey: 'a secret of the tests for tokens of users'};

const SYSTEM = {kind: 'system'} as const;

/** A ready sidecar that takes `provider` for OpenAI and Anthropic, and has keys of Ann and of the system for both. */
async function begin(provider: Provider, configDir: string): Promise<Sidecar> {
  const origin = await provider.listen();
  const env = {OPENAI_BASE_URL: origin, ANTHROPIC_BASE_URL: origin};
  const started = start({configDir, env, secrets: SECRETS}).sidecar;
  await started.ready();
  const owners = [
    {owner_kind: 'user', owner_id: 'ann'},
    {owner_kind: 'system', owner_id: 'default'},
  ] as const;
  const operations = owners.flatMap((owner) =>
    (['openai', 'anthropic'] as const).map((name) => ({op: 'set' as const, ...owner, name, secret: KEY})),
  );
  const {error} = await started.client.POST('/api/v1/vault/bulk', {body: {operations}});
  expect(error).toBeUndefined();
  return started;
}

async function openAiOf(started: Sidecar, owner: GatewayOwner): Promise<OpenAI> {
  return new OpenAI({...(await started.gateway({owner, provider: 'openai'})), maxRetries: 0});
}

describe.skipIf(sidecar.missing !== null)("providers' SDKs, as they are, through the sidecar's gateway", () => {
  const folder = mkdtempSync(join(tmpdir(), 'taskflow-gateway-'));
  const provider = new Provider();
  let started: Sidecar;

  beforeAll(async () => {
    started = await begin(provider, folder);
  });

  beforeEach(() => provider.reset());

  afterAll(async () => {
    await started.stop();
    provider.close();
    rmSync(folder, {recursive: true, force: true});
  });

  test("OpenAI's chats with a key that it never sees, at once and in a stream", async () => {
    const client = await openAiOf(started, ANN);

    const {data: whole, response} = await client.chat.completions.create(CHAT).withResponse();
    const stream = await client.chat.completions.create({...CHAT, stream: true});
    const pieces: unknown[] = [];
    for await (const {choices} of stream) {
      pieces.push(...choices.map(({delta}) => delta.content));
      provider.next(); // only now: the piece has arrived before the provider sends another
    }

    expect(whole.choices[0]?.message.content).toBe(PIECES.join(''));
    expect(response.headers.get('x-echo')).toBe(`Bearer ${'*'.repeat(KEY.length)}`);
    expect(pieces).toEqual(PIECES);
    expect(provider.received.map(({url}) => url)).toEqual(Array(2).fill('/v1/chat/completions'));
    expect(provider.received.map(({headers}) => headers.authorization)).toEqual(Array(2).fill(`Bearer ${KEY}`));
    expect(JSON.stringify(provider.received)).not.toContain(client.apiKey);
  });

  test("Anthropic's streams, and its apiKey says that only the fetch has a credential", async () => {
    const gateway = await started.gateway({owner: SYSTEM, provider: 'anthropic'});
    const client = new Anthropic({...gateway, maxRetries: 0});

    const pieces: string[] = [];
    const stream = client.messages.stream({model: 'claude', max_tokens: 9, messages: CHAT.messages});
    stream.on('text', (text) => {
      pieces.push(text);
      provider.next();
    });
    const message = await stream.finalMessage();

    expect(pieces).toEqual(PIECES);
    expect(message).toMatchObject({content: [{text: PIECES.join('')}], stop_reason: 'end_turn'});
    expect(provider.received.map(({url, headers}) => [url, headers['x-api-key']])).toEqual([['/v1/messages', KEY]]);
    expect(gateway.apiKey).toBe('use-the-fetch-of-the-gateway');
    const stranger = new Anthropic({baseURL: gateway.baseURL, apiKey: gateway.apiKey, maxRetries: 0});
    await expect(stranger.models.list()).rejects.toMatchObject({status: 401});
  });

  test("a user's apiKey works by itself, for this user alone", async () => {
    const {baseURL, apiKey} = await started.gateway({owner: ANN, provider: 'openai'});
    const options = {apiKey, maxRetries: 0};

    const answer = await new OpenAI({...options, baseURL}).chat.completions.create(CHAT);
    const others = new OpenAI({...options, baseURL: baseURL.replace('/user/ann/', '/user/bob/')});

    expect(answer.choices[0]?.message.content).toBe(PIECES.join(''));
    await expect(others.models.list()).rejects.toMatchObject({status: 403});
  });

  test('a client goes on after a crash of the sidecar, at the new address', async () => {
    const client = await openAiOf(started, ANN);
    await client.chat.completions.create(CHAT);
    const before = started.baseUrl;

    for (const {pid, command} of descendants(process.pid))
      if (command.includes('app.__main__')) process.kill(pid, 'SIGKILL');
    await until(() => started.state.kind === 'restarting', 5_000, 'the crash');
    const answer = await client.chat.completions.create(CHAT); // waits until the sidecar is there again

    expect(answer.choices[0]?.message.content).toBe(PIECES.join(''));
    expect(started.baseUrl).not.toBe(before);
  });

  test('a stream that is aborted ends here and at the provider', async () => {
    const client = await openAiOf(started, ANN);

    const abort = new AbortController();
    const stream = await client.chat.completions.create({...CHAT, stream: true}, {signal: abort.signal});
    const pieces: unknown[] = [];
    for await (const {choices} of stream) {
      pieces.push(choices[0]?.delta.content);
      abort.abort();
    }

    expect(pieces).toEqual(PIECES.slice(0, 1));
    await until(() => provider.hangUps === 1, 5_000, 'the end of the call to the provider');
  });

  test('a body goes up piece by piece', async () => {
    const {baseURL, fetch} = await started.gateway({owner: ANN, provider: 'openai'});
    const bytes = new TextEncoder().encode(JSON.stringify({...CHAT, user: 'x'.repeat(500_000)}));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 65_536) controller.enqueue(bytes.slice(at, at + 65_536));
        controller.close();
      },
    });
    const init = {method: 'POST', body, duplex: 'half', headers: {'Content-Type': 'application/json'}};

    const response = await fetch(new Request(`${baseURL}/chat/completions`, init));

    expect(response.status).toBe(200);
    expect(provider.received[0]?.body).toHaveLength(bytes.length);
  });

  test('tells what is missing', async () => {
    const client = await openAiOf(started, {kind: 'user', id: 'bob'});

    const refused = await client.models.list().catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(OpenAI.APIError);
    expect(refused).toMatchObject({status: 402});
    expect(String(refused)).toContain("No OpenAI key is stored. Enter one in the user's API keys.");
  });

  test('its fetch goes nowhere else, and does not start without a way to sign', async () => {
    const unsigned = real({configDir: temporaryFolder()}).sidecar;
    const {fetch} = await unsigned.gateway({owner: {kind: 'tenant', id: 'acme'}, provider: 'openai'});

    for (const url of ['https://api.openai.com/v1/models', `${String(unsigned.baseUrl)}/api/v1/members`])
      await expect(fetch(url)).rejects.toThrow('no other address');
    await expect(unsigned.gateway({owner: ANN, provider: 'openai'})).rejects.toMatchObject({code: 'token-refused'});
    await unsigned.stop();
    await expect(fetch(`${String(unsigned.baseUrl)}/x`)).rejects.toThrow();
    await expect(unsigned.gateway({owner: SYSTEM, provider: 'openai'})).rejects.toMatchObject({
      code: 'not-running',
    });
  });
});
