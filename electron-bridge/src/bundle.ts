/** The support archive: what the sidecar's `doctor` finds, versions and logs, without any secret. */
import {spawn} from 'node:child_process';
import {statSync, unlinkSync} from 'node:fs';
import type {Command} from './locate.js';
import {SidecarError, bridgeProblem} from './problems.js';
import {within} from './timing.js';

/** A database that does not answer is waited for, too. */
const DEADLINE_MS = 60_000;

export interface BundleOptions {
  readonly command: Command;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Have the archive written, by a process of its own: it works beside a running sidecar, and when none starts.
 *
 * @throws SidecarError `bundle-failed`; nothing is at `file` then.
 */
export async function writeBundle(file: string, {command, cwd, environment}: BundleOptions): Promise<void> {
  if (isFile(file)) unlinkSync(file);
  const [executable, ...args] = command;
  const child = spawn(executable, [...args, 'doctor', '--bundle', file], {
    cwd,
    env: {...environment},
    shell: false,
    windowsHide: true,
    stdio: 'ignore',
  });
  const ended = new Promise<true>((resolve) => {
    child.once('error', () => resolve(true)).once('exit', () => resolve(true));
  });
  if ((await within(ended, DEADLINE_MS)) === null) child.kill('SIGKILL');
  // The status tells what the doctor found; the archive is written whole or not at all.
  if (!isFile(file)) throw new SidecarError(bridgeProblem('bundle-failed'));
}

function isFile(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isFile() === true;
}
