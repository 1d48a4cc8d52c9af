/**
 * A stand-in for what the real sidecar never does: `node fake-sidecar.mjs BEHAVIOUR [ARGUMENT...] --stdio`.
 *
 * It speaks just enough of the protocol for the behaviour in question.
 */
import {createHmac} from 'node:crypto';
import {existsSync} from 'node:fs';
import {createServer} from 'node:http';
import {createInterface} from 'node:readline';

const [behaviour, ...rest] = process.argv.slice(2).filter((argument) => argument !== '--stdio');
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const wait = (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs));

const status = {state: 'ready', problem: null, stages: [], mode: 'embedded'};

/** Serve health, status and shutdown, with the proof made from `token`. Its stream is answered when `isLoaded` says so. */
async function serve(token, onShutdown, isLoaded = () => Promise.resolve()) {
  const server = createServer((request, response) => {
    const challenge = request.headers['taskflow-challenge'];
    const headers = {'Content-Type': 'application/json'};
    if (challenge !== undefined)
      headers['Taskflow-Proof'] = createHmac('sha256', token).update(challenge).digest('hex');
    if (request.url === '/api/v1/shutdown') {
      response.writeHead(202, headers).end('{}');
      onShutdown();
    } else if (request.url === '/api/v1/status') response.writeHead(200, headers).end(JSON.stringify(status));
    else if (request.url === '/api/v1/status/events')
      void isLoaded().then(() => response.writeHead(404, headers).end('{}'));
    else {
      const isUnhealthy = request.url === '/health' && status.state !== 'ready';
      response.writeHead(isUnhealthy ? 503 : 200, {...headers, 'Content-Length': 2}).end('{}');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const {token} = JSON.parse((await lines.next()).value);
const untilParentGone = async () => {
  while (!(await lines.next()).done);
  process.exit(0);
};
const listening = (port, more = {}) =>
  say({
    event: 'listening',
    protocol: 1,
    host: '127.0.0.1',
    port,
    pid: process.pid,
    version: '0',
    instance: 'fake',
    ...more,
  });
const leave = () => process.exit(0);

switch (behaviour) {
  case 'exits': // STATUS [CODE]
    if (rest[1] !== undefined) say({event: 'exit', code: rest[1]});
    process.stderr.write('last words\n');
    process.exitCode = Number(rest[0]);
    lines.return?.();
    process.stdin.destroy();
    break;
  case 'is-silent':
    await untilParentGone();
    break;
  case 'stays': // STATE
    Object.assign(status, {state: rest[0], problem: {code: 'of-the-tests', message: 'A problem.'}});
    listening(await serve(token, leave));
    say({event: 'state', state: status.state, problem: status.problem});
    await untilParentGone();
    break;
  case 'loads-long': {
    // until there is FILE
    const loaded = async () => {
      process.stderr.write('asked\n');
      while (!existsSync(rest[0])) await wait(10);
    };
    listening(await serve(token, leave, loaded));
    say({event: 'state', state: 'ready', problem: null});
    await untilParentGone();
    break;
  }
  case 'speaks-no-json':
    process.stdout.write('Hello, I am another program.\n');
    await untilParentGone();
    break;
  case 'is-slow-but-talks': // DURATION_MS
    for (let passedMs = 0; passedMs < Number(rest[0]); passedMs += 100) {
      process.stderr.write('still unpacking\n');
      await wait(100);
    }
    listening(await serve(token, leave));
    say({event: 'state', state: 'ready', problem: null});
    await untilParentGone();
    break;
  case 'speaks-protocol-2':
    say({event: 'listening', protocol: 2, address: 'pipe:somewhere'});
    await untilParentGone();
    break;
  case 'says-more-than-known':
    say({event: 'greeting', text: 'an event of a later version'});
    listening(await serve(token, leave), {feature: ['of a later version']});
    say({event: 'state', state: 'ready', problem: null, mood: 'fine'});
    await untilParentGone();
    break;
  case 'loses-state-lines':
    listening(await serve(token, leave));
    await untilParentGone();
    break;
  case 'cannot-prove':
    listening(await serve('another token', leave));
    await untilParentGone();
    break;
  case 'stops-slowly': // DURATION_MS
    listening(await serve(token, () => setTimeout(leave, Number(rest[0]))));
    say({event: 'state', state: 'ready', problem: null});
    await untilParentGone();
    break;
  case 'does-not-stop':
    process.on('SIGTERM', () => undefined);
    listening(await serve(token, () => undefined));
    say({event: 'state', state: 'ready', problem: null});
    setInterval(() => undefined, 1_000);
    break;
  case 'tells-its-token':
    process.stderr.write(`my token is ${token}, really\n`);
    listening(await serve(token, leave));
    await untilParentGone();
    break;
  default:
    throw new Error(`unknown behaviour: ${behaviour}`);
}
