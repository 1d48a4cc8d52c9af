/** A disk that can be full: a small file system of its own, which only root may mount. */
import {execFileSync} from 'node:child_process';
import {closeSync, mkdirSync, openSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';

export class SmallDisk {
  readonly folder: string;
  readonly #filler: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#filler = join(folder, 'filler');
  }

  /**
   * Make a folder that holds 16 MiB until `close`; null where the system lets nobody, or not this user, mount one.
   *
   * @param folder is made.
   */
  static at(folder: string): SmallDisk | null {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
    mkdirSync(folder, {mode: 0o700});
    try {
      const options = ['-t', 'tmpfs', '-o', 'size=16m,mode=0700'];
      execFileSync('mount', [...options, 'tmpfs', folder], {stdio: 'ignore'});
    } catch {
      return null; // root of a container, who may not
    }
    return new SmallDisk(folder);
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
