/** What is in a ZIP archive: Node itself cannot tell, and Python can. */
import {execFileSync} from 'node:child_process';

const READ = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    print(json.dumps({name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}))
`;

/** Texts by their names. */
export function unzipped(python: string, file: string): Record<string, string> {
  return JSON.parse(execFileSync(python, ['-I', '-c', READ, file], {encoding: 'utf8'})) as Record<string, string>;
}
