import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import {EXIT_STATUSES, SidecarError, startSidecar, type SidecarOptions} from '../../src/index.js';
import {pause} from '../../src/timing.js';
import {fake, stateOf, watched, type Watched} from '../support/fakes.js';
import {temporaryFolder} from '../support/folder.js';
import {until} from '../support/until.js';

const running: Watched[] = [];

function launch(options: SidecarOptions): Watched {
  const started = watched(options);
  running.push(started);
  return started;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({sidecar}) => sidecar.stop()));
});

test('ready is told once a call is answered, and not while the sidecar still loads what answers', async () => {
  const loaded = join(temporaryFolder(), 'loaded');
  const started = launch(fake('loads-long', loaded));
  await until(() => started.log.includes('asked'), 20_000, 'the first call');
  await pause(200, new AbortController().signal); // the other ways of finding out that it is ready

  expect(started.states.some(({kind}) => kind === 'ready')).toBe(false);
  expect(started.sidecar.state).toMatchObject({kind: 'starting', takesCalls: true});
  writeFileSync(loaded, '');
  await stateOf(started, 'ready');
});

describe('how a launch can fail', () => {
  test.each(Object.entries(EXIT_STATUSES))('exit status %s arrives as %s', async (status, code) => {
    const failing = launch({...fake('exits', status), restart: {limit: 0}});

    // A folder that is taken is waited for.
    const {problem, exit} = await stateOf(failing, code === 'already-running' ? 'restarting' : 'failed');

    expect(problem.code).toBe(code);
    expect(problem.message).not.toBe('');
    expect(problem.remedy).not.toBe('');
    expect(exit).toEqual({status: Number(status), signal: null, logTail: ['last words']});
  });

  test('an exit status of a later version has a sentence too', async () => {
    const failing = launch({...fake('exits', '42'), restart: {limit: 0}});

    expect((await stateOf(failing, 'failed')).problem.code).toBe('unknown-exit');
  });

  test.each(['127', '255'])(
    'exit status %s is that of a program that did not begin: install it again',
    async (status) => {
      const told = vi.spyOn(console, 'error').mockReturnValue();
      onTestFinished(() => told.mockRestore());
      const failing = launch({...fake('exits', status), developer: true});

      const {problem} = await stateOf(failing, 'failed');

      expect(problem).toMatchObject({code: 'sidecar-damaged', remedy: expect.stringMatching(/^Install/) as string});
      expect(problem.message).toContain(process.execPath);
      expect(told.mock.calls.join()).toMatch(/sidecar-damaged \(exit status \d+\).*started: .*exits.*last words/s);
    },
  );

  test('the code that the sidecar announces survives a wrapper that changes its exit status', async () => {
    const failing = launch({...fake('exits', '1', 'config-directory-unusable'), restart: {limit: 0}});

    expect((await stateOf(failing, 'failed')).problem.code).toBe('config-directory-unusable');
  });

  test('start() and ready() reject with the problem', async () => {
    const {sidecar} = launch({...fake('exits', '7')});

    await expect(sidecar.start()).rejects.toMatchObject({code: 'config-directory-unusable', exit: {status: 7}});
    await expect(sidecar.ready()).rejects.toBeInstanceOf(SidecarError);
  });

  test('a missing executable is told at once, without a restart', async () => {
    const failing = launch({command: ['/nowhere/taskflow-sidecar']});

    expect((await stateOf(failing, 'failed')).problem.code).toBe('sidecar-missing');
    expect(failing.states.map(({kind}) => kind)).toEqual(['launching', 'failed']);
  });

  test('a file that is no program is told as such', async () => {
    const failing = launch({command: [import.meta.filename]});

    expect((await stateOf(failing, 'failed')).problem.code).toBe('sidecar-not-executable');
  });

  test('a packaged app without a sidecar is told as such', async () => {
    const failing = launch({resourcesPath: '/nowhere'});

    expect((await stateOf(failing, 'failed')).problem.code).toBe('sidecar-missing');
  });

  test('a silent sidecar is given up when the limit of silence has passed', async () => {
    const failing = launch({...fake('is-silent'), startSilenceMs: 200, restart: {limit: 0}});

    expect((await stateOf(failing, 'failed')).problem.code).toBe('start-silent');
  });

  test('another program that greets and then waits is given up as well, with its greeting in the log', async () => {
    const failing = launch({...fake('speaks-no-json'), startSilenceMs: 200, restart: {limit: 0}});

    const {problem, exit} = await stateOf(failing, 'failed');

    expect(problem.code).toBe('start-silent');
    expect(exit?.logTail).toEqual(['Hello, I am another program.']);
  });

  test('a slow start is waited for as long as it makes progress', async () => {
    const slow = launch({...fake('is-slow-but-talks', '1200'), startSilenceMs: 500});

    await stateOf(slow, 'ready');

    expect(slow.states.filter(({kind}) => kind === 'launching')).toHaveLength(1);
  });

  test('another protocol is an update that is needed, told at once', async () => {
    const failing = launch(fake('speaks-protocol-2'));

    const {problem} = await stateOf(failing, 'failed', 5_000);

    expect(problem.code).toBe('protocol-unsupported');
    expect(problem.message).toContain('update is needed');
  });

  test('a server that cannot prove itself is not talked to', async () => {
    const failing = launch({...fake('cannot-prove'), restart: {limit: 0}});

    expect((await stateOf(failing, 'failed')).problem.code).toBe('proof-invalid');
    expect(failing.states.map(({kind}) => kind)).toEqual(['launching', 'failed']);
  });
});

describe('living together', () => {
  test('unknown events and fields of a later version are ignored', async () => {
    const newer = launch(fake('says-more-than-known'));

    await newer.sidecar.ready();

    expect(newer.sidecar.state).toEqual({kind: 'ready', baseUrl: newer.sidecar.baseUrl});
  });

  test('readiness is found out by asking when state lines are lost', async () => {
    const mute = launch(fake('loses-state-lines'));

    await stateOf(mute, 'starting');
    await stateOf(mute, 'ready');
  });

  test('the token is taken out of log lines, and out of everything that may be printed', async () => {
    const leaky = launch(fake('tells-its-token'));

    await leaky.sidecar.start();

    expect(leaky.log).toContain('my token is [redacted], really');
    const {inspect} = await import('node:util');
    expect(inspect(leaky.sidecar, {depth: 20, showHidden: true})).not.toMatch(/[0-9a-f]{64}/);
  });

  test('a crash is answered with three restarts, each later than the one before, and then given up', async () => {
    const crashing = launch({...fake('exits', '70'), restart: {delayMs: 20}});

    const {problem, exit} = await stateOf(crashing, 'failed');

    expect(crashing.states.map((state) => (state.kind === 'restarting' ? state.delayMs : state.kind))).toEqual([
      'launching',
      20,
      'launching',
      40,
      'launching',
      80,
      'launching',
      'failed',
    ]);
    expect(problem.code).toBe('internal');
    expect(exit?.logTail).toEqual(['last words']);
  });

  test('crashes that lie further apart than the window never add up', async () => {
    const crashing = launch({...fake('exits', '70'), restart: {limit: 1, windowMs: 1, delayMs: 5}});

    await expect(stateOf(crashing, 'failed', 1_500)).rejects.toThrow('no state failed');
    expect(crashing.states.filter(({kind}) => kind === 'restarting').length).toBeGreaterThan(2);
  });
});

describe('stopping', () => {
  test('start() twice and stop() twice give the same promise', async () => {
    const {sidecar} = launch(fake('loses-state-lines'));

    expect(sidecar.start()).toBe(sidecar.start());
    await sidecar.start();
    expect(sidecar.stop()).toBe(sidecar.stop());
    await sidecar.stop();

    expect(sidecar.state).toEqual({kind: 'stopped', forced: false});
    expect(sidecar.baseUrl).toBeNull();
  });

  test('a sidecar that does not go is killed after the grace period', async () => {
    const stubborn = launch({...fake('does-not-stop'), stopGraceMs: 200});
    await stateOf(stubborn, 'ready');

    await stubborn.sidecar.stop();

    expect(stubborn.sidecar.state).toEqual({kind: 'stopped', forced: true});
  });

  test('stopping before the sidecar listens ends it, and start() rejects', async () => {
    const {sidecar} = launch(fake('speaks-no-json'));
    const started = sidecar.start();
    await new Promise<string>((resolve) => sidecar.on('log', resolve));

    await Promise.all([expect(started).rejects.toMatchObject({code: 'not-running'}), sidecar.stop()]);

    expect(sidecar.state).toEqual({kind: 'stopped', forced: false});
  });

  test('stopping during the wait before a restart ends the wait', async () => {
    const crashing = launch({...fake('exits', '70'), restart: {delayMs: 60_000}});
    await stateOf(crashing, 'restarting');

    await crashing.sidecar.stop();

    expect(crashing.sidecar.state.kind).toBe('stopped');
  });

  test('it can be started again after a stop, and while it is still stopping', async () => {
    const {sidecar} = launch(fake('says-more-than-known'));
    await sidecar.ready();

    void sidecar.stop();
    await sidecar.start();
    await sidecar.ready();

    expect(sidecar.state.kind).toBe('ready');
  });

  test('it can be started again after it was given up', async () => {
    const failing = launch({...fake('exits', '7')});
    await stateOf(failing, 'failed');

    await expect(failing.sidecar.start()).rejects.toMatchObject({code: 'config-directory-unusable'});

    expect(failing.states.filter(({kind}) => kind === 'launching')).toHaveLength(2);
  });

  test('calls without a sidecar are refused with a worded error', async () => {
    const sidecar = startSidecar(fake('exits', '7'));

    await expect(sidecar.client.GET('/api/v1/members')).rejects.toMatchObject({code: 'not-running'});
    await sidecar.stop();
  });
});

test('before an update it stops and nobody starts it again, unless the update does not happen', async () => {
  const started = watched(fake('stays', 'ready'));
  await started.sidecar.ready();

  const goOn = await started.sidecar.prepareForUpdate();

  expect(started.sidecar.state.kind).toBe('stopped');
  await expect(started.sidecar.start()).rejects.toMatchObject({code: 'update-pending'});
  await goOn();
  await started.sidecar.ready();
  await started.sidecar.stop();
});
