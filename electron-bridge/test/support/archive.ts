/** An app's archive, as Electron reads it. */
import {readFileSync} from 'node:fs';

interface Folder {
  readonly files?: Readonly<Record<string, Folder>>;
}

/** The names in each folder of an archive, whose head is JSON with its length before it. */
export function filesIn(archive: string): Map<string, string[]> {
  const bytes = readFileSync(archive);
  const found = new Map<string, string[]>();
  const look = (path: string, {files}: Folder): void => {
    if (files === undefined) return;
    found.set(path, Object.keys(files));
    for (const [name, entry] of Object.entries(files)) look(path === '' ? name : `${path}/${name}`, entry);
  };
  look('', JSON.parse(bytes.subarray(16, 16 + bytes.readUInt32LE(12)).toString()) as Folder);
  return found;
}
