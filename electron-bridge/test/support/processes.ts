import {execFileSync} from 'node:child_process';

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

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
