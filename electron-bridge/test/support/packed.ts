/** The three things that are published, as archives: the bridge, the template, the sidecar of this kind of system. */
import {execFileSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, readdirSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {BRIDGE, CHECKOUT} from '../../scripts/python.mjs';

/** Pack a package, into another folder. */
export function packInto(folder: string, source: string, ...options: string[]): string {
  const printed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder, ...options], {
    cwd: source,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // What the scripts of the package print comes first.
  const [{filename}] = JSON.parse(printed.slice(printed.lastIndexOf('\n[\n') + 1)) as [{filename: string}];
  return join(folder, filename);
}

/** The bridge as git has it, with its packages; beside it the folder that gets a copy of the interface. */
export function cleanClone(folder: string): string {
  const bridge = join(folder, 'electron-bridge');
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const tracked = execFileSync('git', listed, {cwd: BRIDGE, encoding: 'utf8'}).split('\0');
  for (const name of tracked.filter((path) => path !== '' && existsSync(join(BRIDGE, path))))
    cpSync(join(BRIDGE, name), join(bridge, name));
  symlinkSync(join(BRIDGE, 'node_modules'), join(bridge, 'node_modules'));
  mkdirSync(join(folder, 'backend', 'app', 'web'), {recursive: true});
  return bridge;
}

/** The bridge as it is built now, packed as `npm pack` would, but for building it again. */
export function packBridge(folder: string): string {
  const staged = join(folder, 'bridge');
  mkdirSync(staged);
  for (const name of ['package.json', 'README.md', 'LICENSE', 'dist'])
    cpSync(join(BRIDGE, name), join(staged, name), {recursive: true});
  execFileSync(process.execPath, [join(BRIDGE, 'scripts', 'sidecars.mjs'), 'add'], {cwd: staged});
  return packInto(folder, staged, '--ignore-scripts');
}

export const packTemplate = (folder: string): string => packInto(folder, join(BRIDGE, 'create'));

/** The sidecar's package, built from the present sources unless it is there already. */
export function packSidecar(python: string, ...options: '--windows'[]): string {
  execFileSync(python, [join(CHECKOUT, 'scripts', 'build.py'), '--npm', '--no-ui', ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const folder = join(CHECKOUT, 'dist', ...(options.length > 0 ? ['windows'] : []));
  const name = readdirSync(folder).find((entry) => /^taskflow-sidecar-.*\.tgz$/.test(entry));
  if (name === undefined) throw new Error('build.py --npm made no package');
  return join(folder, name);
}
