/**
 * An app whose main process uses the SDKs of OpenAI and Anthropic as they are: prints what they streamed.
 * SIDECAR holds the options of `startSidecar`, KEY the providers' key.
 */
const {join} = require('node:path');
const {app} = require('electron');
const {installFetch, startSidecar, stopWithApp} = require(join(process.env.BRIDGE_DIST, 'cjs', 'index.js'));

const MESSAGES = [{role: 'user', content: 'Count.'}];

async function main() {
  const before = typeof globalThis.fetch;
  await installFetch();
  const OpenAI = require('openai');
  const Anthropic = require('@anthropic-ai/sdk');
  await app.whenReady();
  const sidecar = startSidecar(JSON.parse(process.env.SIDECAR));
  stopWithApp(app, sidecar);
  await sidecar.ready();
  const owner = {kind: 'user', id: 'ann'};
  const set = (name) => ({op: 'set', owner_kind: 'user', owner_id: 'ann', name, secret: process.env.KEY});
  await sidecar.client.POST('/api/v1/vault/bulk', {body: {operations: [set('openai'), set('anthropic')]}});

  const openai = new OpenAI(await sidecar.gateway({owner, provider: 'openai'}));
  const whole = await openai.chat.completions.create({model: 'gpt-5', messages: MESSAGES});
  const chat = [];
  for await (const {choices} of await openai.chat.completions.create({
    model: 'gpt-5',
    messages: MESSAGES,
    stream: true,
  }))
    chat.push(...choices.map(({delta}) => delta.content));

  const anthropic = new Anthropic(await sidecar.gateway({owner, provider: 'anthropic'}));
  const message = [];
  const stream = anthropic.messages.stream({model: 'claude', max_tokens: 9, messages: MESSAGES});
  stream.on('text', (text) => message.push(text));
  await stream.finalMessage();

  const abort = new AbortController();
  const aborted = [];
  const options = {signal: abort.signal};
  for await (const chunk of await openai.chat.completions.create(
    {model: 'gpt-5', messages: MESSAGES, stream: true, user: 'slowly'},
    options,
  )) {
    aborted.push(chunk.choices[0]?.delta.content);
    abort.abort();
  }
  const {node} = process.versions;
  console.log(JSON.stringify({node, before, whole: whole.choices[0].message.content, chat, message, aborted}));
}

main()
  .catch((error) => console.error(error))
  .finally(() => app.quit());
