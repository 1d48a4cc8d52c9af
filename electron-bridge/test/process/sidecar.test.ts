import {mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {createServer, type AddressInfo, type Server} from 'node:net';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {stateOf, type Watched} from '../support/fakes.js';
import {pythonPart} from '../support/parts.js';
import {descendants} from '../support/processes.js';
import {below, real, sidecar, temporaryFolder} from '../support/real.js';
import {until} from '../support/until.js';
import {unzipped} from '../support/zip.js';

const BLACK_HOLE = 'postgresql://user:secret@192.0.2.1:5432/db';

/** A TCP port of 127.0.0.1 that somebody else holds. */
async function takenPort(): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isListening: boolean): void => {
      server.removeAllListeners('error').removeAllListeners('listening');
      resolve(isListening);
    };
    server
      .once('error', () => settle(false))
      .once('listening', () => settle(true))
      .listen(port, '127.0.0.1');
  });
}

/** The process that runs the sidecar. */
function processOf(): number {
  const found = descendants(process.pid).find(
    ({command}) => command.includes('app.__main__') && !command.startsWith('/bin/sh'),
  );
  if (found === undefined) throw new Error('no sidecar runs');
  return found.pid;
}

describe.skipIf(sidecar.missing !== null)('the real sidecar', () => {
  test('starts, is ready on the embedded database, serves typed calls and stops', async () => {
    const started = real({configDir: temporaryFolder()});

    await started.sidecar.ready();
    const created = await started.sidecar.client.POST('/api/v1/members', {
      body: {name: 'Ada', email: 'ada@example.org'},
    });
    const {data: members} = await started.sidecar.client.GET('/api/v1/members');
    await started.sidecar.stop();

    expect(created.response.status).toBe(201);
    expect(members).toMatchObject([{id: created.data?.id, name: 'Ada', email: 'ada@example.org', active: true}]);
    expect(started.sidecar.state).toEqual({kind: 'stopped', forced: false});
    expect(descendants(process.pid).filter(({command}) => command.includes('app.__main__'))).toEqual([]);
  });

  test('shows its stages while it starts', async () => {
    const {sidecar: started} = real({configDir: temporaryFolder()});
    await started.ready();

    const status = await until(() => started.snapshot.status, 5_000, 'a status document');

    await until(() => started.snapshot.status?.state === 'ready', 5_000, 'the ready document');
    expect(status.stages.map(({name}) => name)).toEqual([
      'config',
      'key',
      'credentials',
      'connect',
      'migrate',
      'ready',
    ]);
  });

  test('killed from outside, it is back within seconds, with a new token and its data', async () => {
    const started = real({configDir: temporaryFolder()});
    await started.sidecar.ready();
    await started.sidecar.client.POST('/api/v1/members', {body: {name: 'Ada', email: 'ada@example.org'}});

    process.kill(processOf(), 'SIGKILL');
    const {problem, exit} = await stateOf(started, 'restarting');
    await stateOf(started, 'ready');

    expect(problem.code).toBe('killed');
    expect(exit.signal).toBe('SIGKILL');
    const {data} = await started.sidecar.client.GET('/api/v1/members');
    expect(data).toHaveLength(1);
  });

  test('a stopped and continued sidecar is neither killed nor restarted', async () => {
    const started = real({configDir: temporaryFolder(), startSilenceMs: 500});
    await started.sidecar.ready();

    process.kill(processOf(), 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    process.kill(processOf(), 'SIGCONT');

    expect((await started.sidecar.client.GET('/api/v1/members')).response.status).toBe(200);
    expect(started.states.filter(({kind}) => kind === 'launching').length).toBeLessThanOrEqual(1);
  });
});

describe.skipIf(sidecar.missing !== null)('every exit status of the real sidecar arrives as its meaning', () => {
  test('0 before ready: nobody asked it to stop', async () => {
    const started = real({configDir: temporaryFolder(), env: {TASKFLOW_DATABASE_URL: BLACK_HOLE}, restart: {limit: 0}});
    await stateOf(started, 'starting');

    process.kill(processOf(), 'SIGTERM');

    expect(await stateOf(started, 'failed')).toMatchObject({problem: {code: 'stopped-unasked'}, exit: {status: 0}});
  });

  test('2: an option it does not know', async () => {
    const started = real({configDir: temporaryFolder(), args: ['--of-a-later-version']});

    expect(await stateOf(started, 'failed')).toMatchObject({problem: {code: 'usage'}, exit: {status: 2}});
  });

  test('3: its port is taken', async () => {
    const started = real({
      configDir: temporaryFolder(),
      args: ['--port', String(await takenPort())],
      restart: {limit: 0},
    });

    expect(await stateOf(started, 'failed')).toMatchObject({problem: {code: 'port-in-use'}, exit: {status: 3}});
  });

  test('4: another one owns the folder, is named and not harmed, and is followed once it has gone', async () => {
    const configDir = temporaryFolder();
    const first = real({configDir});
    await first.sidecar.ready();
    const second = real({configDir, restart: {delayMs: 10}});

    const {problem, exit} = await stateOf(second, 'restarting');
    expect(problem.code).toBe('already-running');
    expect(problem.message).toMatch(/: process \d+, since \d{4}-/);
    expect(exit.status).toBe(4);
    expect((await first.sidecar.client.GET('/api/v1/members')).response.status).toBe(200);
    expect(first.sidecar.state.kind).toBe('ready');
    await first.sidecar.stop();
    await second.sidecar.ready();
  });

  test('5: no handshake', async () => {
    const started = real({configDir: temporaryFolder(), command: below('exec "$@" </dev/null')});

    expect(await stateOf(started, 'failed')).toMatchObject({problem: {code: 'handshake-invalid'}, exit: {status: 5}});
  });

  test('5: the app was made for another version of the sidecar', async () => {
    const started = real({configDir: temporaryFolder(), app: {minSidecar: '999.0'}});

    const {problem} = await stateOf(started, 'failed');

    expect(problem.code).toBe('handshake-invalid');
    expect(problem.message).toContain('needs at least version 999.0');
  });

  test('6: a malformed key in the environment', async () => {
    const started = real({configDir: temporaryFolder(), env: {ENCRYPTION_KEY: 'canary-not-a-key'}});

    const failed = await stateOf(started, 'failed');

    expect(failed).toMatchObject({problem: {code: 'encryption-key-invalid'}, exit: {status: 6}});
    expect(JSON.stringify(failed)).not.toContain('canary');
  });

  test('7: its folder cannot be made', async () => {
    const configDir = temporaryFolder();
    writeFileSync(join(configDir, 'config'), 'a file in the place of the folder');
    const started = real({configDir});

    const {problem, exit} = await stateOf(started, 'failed');

    expect([problem.code, exit?.status]).toEqual(['config-directory-unusable', 7]);
    expect(problem.message).toContain(join(configDir, 'config'));
  });

  test('70: it met an unexpected error', async () => {
    const started = real({configDir: temporaryFolder(), command: below('ulimit -n 8; exec "$@"'), restart: {limit: 0}});

    expect(await stateOf(started, 'failed')).toMatchObject({problem: {code: 'internal'}, exit: {status: 70}});
  });

  test('five simultaneous starts on one folder leave exactly one', async () => {
    const configDir = temporaryFolder();
    const all = Array.from({length: 5}, () => real({configDir, restart: {delayMs: 20}}));

    const isLoser = ({states}: Watched): boolean =>
      states.some((state) => state.kind === 'restarting' && state.problem.code === 'already-running');
    await Promise.any(all.map(({sidecar: started}) => started.ready()));
    await until(() => all.filter(isLoser).length === 4, 20_000, 'four that found the folder taken');

    expect(all.filter(({sidecar: started}) => started.state.kind === 'ready')).toHaveLength(1);
  });
});

describe.skipIf(sidecar.missing !== null)('a hostile environment', () => {
  test('dead proxies, foreign Python modules, PG* and another libpq do not keep it from starting', async () => {
    const folder = temporaryFolder();
    const trap = join(folder, 'trap');
    mkdirSync(trap);
    for (const name of ['litestar.py', 'app.py', 'psycopg2.py', 'sitecustomize.py']) {
      writeFileSync(join(trap, name), 'raise SystemExit("trapped")');
    }
    writeFileSync(join(trap, 'libpq.so.5'), 'not a library');
    const hostile = {
      HTTP_PROXY: 'http://192.0.2.1:9',
      HTTPS_PROXY: 'http://192.0.2.1:9',
      ALL_PROXY: 'http://192.0.2.1:9',
      NO_PROXY: '',
      http_proxy: 'http://192.0.2.1:9',
      PYTHONPATH: trap,
      PYTHONHOME: trap,
      PYTHONSTARTUP: join(trap, 'app.py'),
      PGHOST: '192.0.2.1',
      PGSERVICE: 'none',
      LD_LIBRARY_PATH: trap,
      PYTHONWARNINGS: 'error',
    };
    const before = {...process.env};
    Object.assign(process.env, hostile);
    onTestFinished(() => {
      for (const name of Object.keys(hostile)) Reflect.deleteProperty(process.env, name);
      Object.assign(process.env, before);
    });

    const started = real({configDir: folder, cwd: trap});

    await started.sidecar.ready();
    expect((await started.sidecar.client.GET('/api/v1/members')).response.status).toBe(200);
  });
});

describe.skipIf(sidecar.missing !== null)('a support archive', () => {
  const SECRETS = {
    password: 'canary-password-4711',
    jwtSecretKey: 'canary of the tests that signs tokens of users',
    apiKeyEncryptionSecret: 'canary that is mixed into keys of secrets',
  };

  test('is written while the sidecar runs, without a secret, and for one that does not start', async () => {
    const configDir = temporaryFolder();
    const {password, ...secrets} = SECRETS;
    const started = real({configDir, secrets, args: ['--log-level', 'debug'], restart: {limit: 0}});
    await started.sidecar.ready();
    // Nobody listens there: the sidecar logs the attempts.
    await started.sidecar.client.POST('/api/v1/settings/save-connection', {
      body: {dsn: `postgresql://u:${password}@127.0.0.1:9/d`},
    });
    await stateOf(started, 'reconnecting');
    const [first, second] = ['first.zip', 'second.zip'].map((name) => join(configDir, name)) as [string, string];
    await started.sidecar.writeSupportBundle(first);
    await started.sidecar.stop();
    writeFileSync(join(configDir, 'config', 'fernet.key'), 'damaged');
    await started.sidecar.writeSupportBundle(second);

    for (const file of [first, second]) {
      const text = JSON.stringify(unzipped(pythonPart().value ?? '', file));
      expect(text).toContain('connection-refused');
      expect(Object.values(SECRETS).filter((secret) => text.includes(secret))).toEqual([]);
    }
    const nowhere = started.sidecar.writeSupportBundle(join(configDir, 'no', 'such', 'folder.zip'));
    await expect(nowhere).rejects.toMatchObject({code: 'bundle-failed'});
  });
});

describe.skipIf(sidecar.missing !== null || process.platform !== 'linux')('the token', () => {
  test('is in no argument, environment, log, URL or file', async () => {
    const folder = temporaryFolder();
    // The bridge gives it to nobody, so a wrapper keeps a copy of the handshake for this test.
    const copy = join(temporaryFolder(), 'handshake');
    const started = real({
      configDir: folder,
      args: ['--log-level', 'debug'],
      command: below(`tee ${copy} | "$@"`),
      stopGraceMs: 100,
    });
    await started.sidecar.ready();
    await started.sidecar.client.POST('/api/v1/members', {body: {name: 'Ada', email: 'ada@example.org'}});
    const {readFileSync} = await import('node:fs');
    const {token} = JSON.parse(readFileSync(copy, 'utf8')) as {token: string};
    expect(token).toMatch(/^[0-9a-f]{64}$/);

    for (const {pid} of descendants(process.pid)) {
      for (const file of ['cmdline', 'environ']) {
        expect(readFileSync(`/proc/${pid}/${file}`, 'latin1')).not.toContain(token);
      }
    }
    expect(started.log.join('\n')).not.toContain(token);
    const files = readdirSync(folder, {recursive: true, withFileTypes: true}).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect(readFileSync(join(file.parentPath, file.name), 'latin1')).not.toContain(token);
  });

  test('goes to no program that takes the port after the sidecar died', async () => {
    const started = real({configDir: temporaryFolder(), restart: {limit: 0}});
    await started.sidecar.ready();
    const port = Number(new URL(started.sidecar.baseUrl ?? '').port);
    let received = '';
    const squatter = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
      });
    });
    onTestFinished(() => void squatter.close());

    // Calls go on all the while: before the bridge hears of the death, during the change of owner, and after.
    const calls: Promise<unknown>[] = [];
    const call = (): void =>
      void calls.push(started.sidecar.client.GET('/api/v1/members').catch((error: unknown) => error));
    process.kill(processOf(), 'SIGKILL');
    await until(
      () => {
        call();
        return listens(squatter, port);
      },
      5_000,
      'the port',
      1,
    );
    Array.from({length: 20}, call);
    await Promise.all(calls);
    await stateOf(started, 'failed');

    expect(received).not.toMatch(/authorization/i);
    expect(received).not.toMatch(/[0-9a-f]{64}/);
    expect(received).not.toContain('/api/');
  });
});
