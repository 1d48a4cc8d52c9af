/** A disk that can be full: a small file system of its own, which only root may mount. */
import {execFileSync} from 'node:child_process';
import {closeSync, mkdirSync, openSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';

export const canMount = process.platform === 'linux' && process.getuid?.() === 0;

export class SmallDisk {
  readonly folder: string;
  readonly #filler: string;

  /** @param folder is made, and holds 16 MiB until `close`. */
  constructor(folder: string) {
    mkdirSync(folder, {mode: 0o700});
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'tmpfs', folder]);
    this.folder = folder;
    this.#filler = join(folder, 'filler');
  }

  /** Leave not a byte. */
  fill(): void {
    const file = openSync(this.#filler, 'w');
    const piece = Buffer.alloc(4096);
    try {
      for (;;) writeSync(file, piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Take back what `fill` has taken. */
  makeRoom(): void {
    rmSync(this.#filler);
  }

  close(): void {
    execFileSync('umount', ['--lazy', this.folder]);
  }
}
