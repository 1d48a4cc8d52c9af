/** Where the sidecar's executable is. */
import {statSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {isDevelopment} from './development.js';

/** Executable and its leading arguments. */
export type Command = readonly [executable: string, ...args: string[]];

/** Folder below `resources` into which the app's packager copies the sidecar. */
export const SIDECAR_FOLDER = 'taskflow-sidecar';

/**
 * Path of the packaged executable: `RESOURCES/taskflow-sidecar/taskflow-sidecar`, with `.exe` on Windows.
 */
export function packagedExecutable(resourcesPath: string, platform: NodeJS.Platform = process.platform): string {
  const name = platform === 'win32' ? `${SIDECAR_FOLDER}.exe` : SIDECAR_FOLDER;
  return join(resourcesPath, SIDECAR_FOLDER, name);
}

/** Name of the npm package that holds a sidecar for one kind of system. */
export function platformPackage(platform: string = process.platform, arch: string = process.arch): string {
  return `@taskflow/sidecar-${platform}-${arch}`;
}

/**
 * The command to start: `command` if given, else the packaged executable, else, while the app runs from its sources,
 * the one that npm installed; null if none is there.
 */
export function findCommand(command: Command | undefined, resourcesPath: string | undefined): Command | null {
  if (command !== undefined) return command;
  const candidates = [resourcesPath ?? null, isDevelopment() ? installedFolder() : null];
  const executable = candidates
    .filter((folder) => folder !== null)
    .map((folder) => packagedExecutable(folder))
    .find(isFile);
  return executable === undefined ? null : [executable];
}

/** Folder of the installed platform package, as the app or the bridge would find it; null if there is none. */
function installedFolder(): string | null {
  // Where the bridge was bundled into the app, its own place may be unknown or elsewhere.
  for (const base of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return dirname(createRequire(base).resolve(`${platformPackage()}/package.json`));
    } catch {
      // not from here
    }
  }
  return null;
}

function isFile(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isFile() === true;
}
