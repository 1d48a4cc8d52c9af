/** What is published, on a registry of this computer, and an empty folder to begin in: no checkout is in reach. */
import {execFile} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {packBridge, packSidecar, packTemplate} from './packed.js';
import {electronPart, pythonPart, startDisplay, type Display} from './parts.js';
import {Registry} from './registry.js';

const electron = electronPart();
const python = pythonPart();
export const isIncomplete = electron.missing !== null || python.missing !== null || process.platform === 'win32';
/** Where the Electron of the tests is, which stands in for the one that Electron's package would download. */
export const electronFolder = dirname(electron.value ?? '');

export interface Archives {
  readonly bridge: string;
  readonly template: string;
  readonly sidecar: string;
}

export class Published {
  readonly folder: string;
  readonly archives: Archives;
  /** Of programs that are to use the registry and the screen. */
  readonly environment: NodeJS.ProcessEnv;
  readonly #registry: Registry;
  readonly #display: Display | null;

  private constructor(
    folder: string,
    archives: Archives,
    environment: NodeJS.ProcessEnv,
    registry: Registry,
    display: Display | null,
  ) {
    this.folder = folder;
    this.archives = archives;
    this.environment = environment;
    this.#registry = registry;
    this.#display = display;
  }

  /** @param sidecar the archive of the sidecar, if it is not to be the one of this kind of system */
  static async start(sidecar = ''): Promise<Published> {
    const folder = mkdtempSync(join(tmpdir(), 'taskflow-new-'));
    const packed = join(folder, 'packed');
    const home = join(folder, 'home');
    [packed, home].forEach((each) => mkdirSync(each));
    const archives = {
      bridge: packBridge(packed),
      template: packTemplate(packed),
      sidecar: sidecar || packSidecar(python.value ?? ''),
    };
    const registry = new Registry(Object.values(archives));
    const display = await startDisplay();
    const environment = {
      PATH: process.env['PATH'],
      HOME: home,
      TMPDIR: folder,
      ...display?.variables,
      ...(await registry.listen(join(folder, 'cache'))),
      // Electron's own download comes from elsewhere; the one that is here stands in for it.
      ELECTRON_SKIP_BINARY_DOWNLOAD: '1',
      ELECTRON_OVERRIDE_DIST_PATH: electronFolder,
    };
    return new Published(folder, archives, environment, registry, display);
  }

  /** A home directory with nothing in it. */
  get home(): string {
    return join(this.folder, 'home');
  }

  /** Run npm; what it prints. */
  async npm(words: string, cwd: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
    return (await promisify(execFile)('npm', words.split(' '), {cwd, env: {...this.environment, ...more}})).stdout;
  }

  close(): void {
    this.#registry.close();
    this.#display?.close();
    rmSync(this.folder, {recursive: true, force: true, maxRetries: 20, retryDelay: 100});
  }
}
