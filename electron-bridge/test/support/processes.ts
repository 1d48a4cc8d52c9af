import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly command: string;
}

/** All living children, grandchildren and so on; POSIX only. */
export function descendants(pid: number): ProcessEntry[] {
  const table = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], {encoding: 'utf8'})
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, id, parent, command]) => ({pid: Number(id), parent: Number(parent), command: command ?? ''}));
  const below = (parent: number): ProcessEntry[] =>
    table.filter((entry) => entry.parent === parent).flatMap((entry) => [entry, ...below(entry.pid)]);
  // ps itself was a child a moment ago
  return below(pid).filter((entry) => isAlive(entry.pid));
}

/** Whether a process runs; one that has ended and is not yet reaped by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
