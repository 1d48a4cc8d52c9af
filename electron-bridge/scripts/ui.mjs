/**
 * Build the interface: `npm run ui`. Vite puts it into the Python package, which serves it; Electron apps get a copy in
 * `dist/ui`, with a policy inside the page, because no header comes with a file.
 */
import {cpSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {build as bundle, transform} from 'esbuild';
import ts from 'typescript';
import {build} from 'vite';
import {addParts, partsOfLicenses} from './notices.mjs';
import {BRIDGE, CHECKOUT} from './python.mjs';

export const SERVED = join(CHECKOUT, 'backend', 'app', 'web', 'ui');
const PACKED = join(BRIDGE, 'dist', 'ui');
const PARTS = join(PACKED, 'parts');
/** The page reaches the sidecar over IPC, so it needs no connection of its own. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'none'; " +
  "base-uri 'none'; form-action 'none'";

export async function buildUi() {
  // Whatever the builder's own environment says: what is shipped names no file of the builder's, and is the fast one.
  process.env.NODE_ENV = 'production';
  await build({configFile: join(BRIDGE, 'renderer', 'vite.config.ts'), logLevel: 'warn'});
  rmSync(PACKED, {recursive: true, force: true});
  cpSync(SERVED, PACKED, {recursive: true});
  addParts(partsOfLicenses(readFileSync(join(PACKED, 'licenses.md'), 'utf8')));
  const page = join(PACKED, 'index.html');
  const meta = `<meta http-equiv="Content-Security-Policy" content="${POLICY}" />`;
  writeFileSync(page, readFileSync(page, 'utf8').replace('<meta charset="utf-8" />', `$&\n    ${meta}`));
  await buildParts();
}

/** What stands in for older Reacts would `require` React, which an ES module cannot; React itself has it. */
const OWN_STORES = {
  name: 'own-stores',
  setup({onResolve, onLoad}) {
    onResolve({filter: /^use-sync-external-store\/shim/}, ({path}) => ({path, namespace: 'own-stores'}));
    onLoad({filter: /.*/, namespace: 'own-stores'}, () => ({
      contents: "export {useSyncExternalStore} from 'react';",
      resolveDir: BRIDGE,
    }));
  },
};

/** The same for pages of other apps: an ES module with React left out, styles that reach only our own, and types. */
export async function buildParts() {
  const source = join(BRIDGE, 'renderer', 'src', 'embed');
  await bundle({
    absWorkingDir: BRIDGE,
    entryPoints: [join(source, 'index.tsx')],
    outdir: PARTS,
    format: 'esm',
    splitting: true,
    bundle: true,
    minify: true,
    jsx: 'automatic',
    target: 'chrome108',
    define: {'process.env.NODE_ENV': '"production"'},
    external: ['react', 'react-dom', 'react/jsx-runtime', 'react-dom/client'],
    plugins: [OWN_STORES],
    logLevel: 'warning',
  });
  const styles = join(PARTS, 'index.css');
  writeFileSync(styles, await scoped(readFileSync(styles, 'utf8')));
  renameSync(styles, join(PARTS, 'style.css'));
  for (const [from, to] of [
    ['index.tsx', 'index.d.ts'],
    ['public.ts', 'public.d.ts'],
  ]) {
    const {outputText} = ts.transpileDeclaration(readFileSync(join(source, from), 'utf8'), {
      fileName: from,
      compilerOptions: {jsx: ts.JsxEmit.ReactJSX, strict: true},
    });
    const types = outputText.replaceAll(/^import '.*\.css';\n/gm, '').replaceAll('../../../src/', '../../esm/');
    writeFileSync(join(PARTS, to), types);
  }
}

/** Rules that hold inside of `.taskflow` only; animations have no place, so they stay outside. */
async function scoped(css) {
  const animations = [];
  const rules = css.replace(/@keyframes [^{]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, (found) => {
    animations.push(found);
    return '';
  });
  const nested = `${animations.join('')}.taskflow{${rules.replaceAll(':root', '&')}}`;
  return (await transform(nested, {loader: 'css', minify: true, target: 'chrome108'})).code;
}

if (process.argv[1] === import.meta.filename) await buildUi();
