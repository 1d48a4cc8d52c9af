/** The real parts that tests need, and what happens where one is missing. */
import {spawn, spawnSync, type ChildProcess} from 'node:child_process';
import {existsSync, readdirSync, statSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {BRIDGE, findPython, sidecarCommand} from '../../scripts/python.mjs';
import type {Command} from '../../src/index.js';

const isContinuousIntegration = ['1', 'true', 'yes'].includes((process.env['CI'] ?? '').toLowerCase());

/** What a group of tests needs, or why it is skipped. Under CI a missing part is an error, so nothing goes unproven. */
export type Part<T> = {readonly value: T; readonly missing: null} | {readonly value: null; readonly missing: string};

export function part<T>(value: T | null, reason: string): Part<T> {
  if (value !== null) return {value, missing: null};
  if (isContinuousIntegration) throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return {value: null, missing: reason};
}

/** A Python that runs the sidecar and the tests' own PostgreSQL. */
export function pythonPart(): Part<string> {
  return part(
    findPython(),
    'no Python with the packages of the sidecar is on the path (python3 scripts/test.py makes one)',
  );
}

/** The command that runs the real sidecar of this checkout. */
export function sidecarPart(): Part<Command> {
  const python = pythonPart();
  return python.value === null ? python : part(sidecarCommand(python.value), '');
}

/** Electron's executable. */
export function electronPart(): Part<string> {
  let executable: unknown = null;
  try {
    executable = createRequire(import.meta.url)('electron');
  } catch {
    // not downloaded
  }
  const isThere = typeof executable === 'string' && existsSync(executable);
  return part(
    isThere ? String(executable) : null,
    'no Electron: set ELECTRON_OVERRIDE_DIST_PATH, or run node node_modules/electron/install.js',
  );
}

/** Make sure that `dist` was built from the present sources: `npm test` does so first. */
export function requireBuild(): void {
  const newest = (folder: string): number =>
    Math.max(...readdirSync(join(BRIDGE, folder)).map((name) => statSync(join(BRIDGE, folder, name)).mtimeMs));
  if (!existsSync(join(BRIDGE, 'dist', 'cjs')) || newest('dist/cjs') < newest('src')) {
    throw new Error('dist is older than src: run `npm run build`');
  }
}

/** A screen: the present one, or on Linux a virtual one. */
export interface Display {
  readonly variables: Readonly<Record<string, string>>;
  close(): void;
}

export async function startDisplay(): Promise<Display | null> {
  if (process.platform !== 'linux' || process.env['DISPLAY'] !== undefined)
    return {variables: {}, close: () => undefined};
  if (spawnSync('Xvfb', ['-help'], {stdio: 'ignore'}).error !== undefined) {
    return part<Display>(null, 'no screen, and Xvfb is not installed (Debian: apt-get install -y xvfb)').value;
  }
  const server = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const number = await firstLine(server);
  return {variables: {DISPLAY: `:${number}`}, close: () => void server.kill()};
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.split('\n')[0] ?? '');
    });
    child.once('error', reject);
    child.once('exit', (status) => reject(new Error(`ended with status ${String(status)}`)));
  });
}
