import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {SidecarOptions, SidecarState} from '../../src/index.js';
import {BRIDGE} from '../../scripts/python.mjs';
import {fake} from '../support/fakes.js';
import {electronPart, requireBuild, startDisplay, type Display} from '../support/parts.js';
import {descendants, isAlive} from '../support/processes.js';
import {until} from '../support/until.js';

const PROBE = join(dirname(dirname(fileURLToPath(import.meta.url))), 'support', 'probe', 'main.cjs');
const QUICK = 5_000;
/** Until an app is in the state it is to be ended in, among all the others that start. */
const REACHED_MS = 120_000;
const electron = electronPart();

interface Case {
  readonly name: string;
  readonly until: SidecarState['kind'];
  readonly options: SidecarOptions;
  readonly stop?: 'begin' | 'await';
  readonly custody?: true;
}

const NO_RESTART = {restart: {limit: 0}};
const STATES: readonly Case[] = [
  {name: 'launching', until: 'launching', options: fake('is-silent')},
  {name: 'asking about the recovery key', until: 'launching', options: fake('is-silent'), custody: true},
  {name: 'starting', until: 'starting', options: fake('stays', 'starting')},
  {name: 'setup_required', until: 'setup_required', options: fake('stays', 'setup_required')},
  {name: 'ready', until: 'ready', options: fake('stays', 'ready')},
  {name: 'reconnecting', until: 'reconnecting', options: fake('stays', 'reconnecting')},
  {name: 'failed, alive', until: 'failed', options: fake('stays', 'failed')},
  {name: 'failed, its program missing', until: 'failed', options: {command: ['/nowhere/taskflow-sidecar']}},
  {name: 'failed, given up', until: 'failed', options: {...fake('exits', '70'), ...NO_RESTART}},
  {name: 'restarting', until: 'restarting', options: {...fake('exits', '70'), restart: {delayMs: 60_000}}},
  {name: 'another copy running', until: 'restarting', options: {...fake('exits', '4'), restart: {delayMs: 60_000}}},
  {name: 'stopping', until: 'stopping', options: fake('stops-slowly', '1000'), stop: 'begin'},
  {name: 'stopped', until: 'stopped', options: fake('stays', 'ready'), stop: 'await'},
];

const WAYS = ['app.quit()', 'the last window closed', 'SIGTERM', 'the end of the session'] as const;

const cases = STATES.flatMap((state) => WAYS.map((way) => [state.name, way, state] as const));

describe.skipIf(electron.missing !== null || process.platform === 'win32')('the app and its sidecar end', () => {
  let shared: Display | null = null;

  beforeAll(async () => {
    requireBuild();
    shared = await startDisplay();
  });

  afterAll(() => shared?.close());

  test.concurrent.for(cases)('%s: by %s', async ([, way, {options, ...rest}], {onTestFinished}) => {
    const home = mkdtempSync(join(tmpdir(), 'taskflow-quit-'));
    onTestFinished(() => rmSync(home, {recursive: true, force: true}));
    const endsSession = way === 'the end of the session';
    const display = endsSession ? await startDisplay() : shared;
    if (endsSession) onTestFinished(() => display?.close());
    const app = spawn(electron.value ?? '', [PROBE, `--user-data-dir=${home}`, '--no-sandbox', '--disable-gpu'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...display?.variables,
        BRIDGE_DIST: join(BRIDGE, 'dist'),
        PROBE: JSON.stringify({...rest, options: {...options, configDir: home, cwd: home}}),
      },
    });
    onTestFinished(() => void app.kill('SIGKILL'));
    let isReached = false;
    createInterface({input: app.stdout}).once('line', () => (isReached = true));
    const told: string[] = [];
    createInterface({input: app.stderr}).on('line', (line) => told.push(line));
    const hasEnded = (): boolean => app.exitCode !== null || app.signalCode !== null;
    await until(
      () => isReached || hasEnded(),
      REACHED_MS,
      () => `the state; told before: ${told.slice(-20).join(' | ')}`,
    );
    expect(hasEnded(), told.slice(-20).join('\n')).toBe(false);
    const family = descendants(app.pid ?? 0).map(({pid}) => pid);

    if (way === 'SIGTERM') app.kill('SIGTERM');
    else if (endsSession) display?.close();
    else app.stdin.write(way === 'app.quit()' ? 'quit\n' : 'close\n');

    await until(hasEnded, QUICK, 'the end of the app');
    await until(() => !family.some(isAlive), QUICK, 'the end of every process of its');
    expect(family.length).toBeGreaterThan(1);
  });
});
