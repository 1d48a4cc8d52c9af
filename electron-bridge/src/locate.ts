/** Where the sidecar's executable is. */
import {statSync} from 'node:fs';
import {join} from 'node:path';

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

/**
 * The command to start: `command` if given, else the packaged executable; null if that is not there.
 */
export function findCommand(command: Command | undefined, resourcesPath: string | undefined): Command | null {
  if (command !== undefined) return command;
  if (resourcesPath === undefined) return null;
  const executable = packagedExecutable(resourcesPath);
  return isFile(executable) ? [executable] : null;
}

function isFile(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isFile() === true;
}
