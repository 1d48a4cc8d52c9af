/** Build the example app and, unless told `--build-only`, start it: `npm run example`. */
import {spawn, spawnSync} from 'node:child_process';
import {cpSync, existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {build} from 'esbuild';
import {BRIDGE, CHECKOUT, findPython, sidecarCommand} from './python.mjs';

const example = join(BRIDGE, 'example');
const out = join(example, 'dist');
const require = createRequire(import.meta.url);

/** The main script; the package itself is taken as an app would take it: built. */
export const EXAMPLE_MAIN = join(out, 'main.cjs');

export async function buildExample() {
  const common = {absWorkingDir: BRIDGE, bundle: true, outdir: out, logLevel: 'warning', tsconfigRaw: '{}'};
  await build({
    ...common,
    entryPoints: {main: 'example/main.ts', preload: 'example/preload.ts'},
    outExtension: {'.js': '.cjs'},
    format: 'cjs',
    platform: 'node',
    target: 'node16.17',
    external: ['electron'],
  });
  await build({
    ...common,
    entryPoints: {renderer: 'example/renderer.ts'},
    format: 'iife',
    platform: 'browser',
    target: 'chrome108',
  });
  for (const file of ['index.html', 'style.css']) cpSync(join(example, file), join(out, file));
}

/** Path of Electron's executable, fetched now if it is not there yet. */
function electronExecutable() {
  const folder = dirname(require.resolve('electron/package.json'));
  if (process.env.ELECTRON_OVERRIDE_DIST_PATH === undefined && !existsSync(join(folder, 'path.txt'))) {
    console.error('Fetching Electron (once) ...');
    const {status} = spawnSync(process.execPath, [join(folder, 'install.js')], {stdio: 'inherit'});
    if (status !== 0) process.exit(status ?? 1);
  }
  return require('electron');
}

if (process.argv[1] === import.meta.filename) {
  spawnSync(process.execPath, [join(BRIDGE, 'scripts', 'build.mjs')], {stdio: 'inherit'});
  await buildExample();
  const python = findPython();
  if (python === null) {
    console.error(
      `No Python with the sidecar's packages was found. Run this once, then again: python3 ${join(CHECKOUT, 'scripts', 'run.py')} --help`,
    );
    process.exit(1);
  }
  const environment = {...process.env, EXAMPLE_SIDECAR_COMMAND: JSON.stringify(sidecarCommand(python))};
  const electron = spawn(electronExecutable(), [EXAMPLE_MAIN, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: environment,
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => electron.kill(signal));
  electron.once('exit', (status) => process.exit(status ?? 1));
}
