/** The three things that are published, as archives: the bridge, the template, the sidecar of this kind of system. */
import {execFileSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {BRIDGE, CHECKOUT} from '../../scripts/python.mjs';

/** Pack a folder of the checkout, into another. */
export function packInto(folder: string, source: string): string {
  const printed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: source,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [{filename}] = JSON.parse(printed) as [{filename: string}];
  return join(folder, filename);
}

export const packBridge = (folder: string): string => packInto(folder, BRIDGE);
export const packTemplate = (folder: string): string => packInto(folder, join(BRIDGE, 'create'));

/** The sidecar's package, built from the present sources unless it is there already. */
export function packSidecar(python: string): string {
  execFileSync(python, [join(CHECKOUT, 'scripts', 'build.py'), '--npm'], {stdio: ['ignore', 'ignore', 'inherit']});
  const folder = join(CHECKOUT, 'dist');
  const name = readdirSync(folder).find((entry) => /^taskflow-sidecar-.*\.tgz$/.test(entry));
  if (name === undefined) throw new Error('build.py --npm made no package');
  return join(folder, name);
}
