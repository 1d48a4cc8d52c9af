/**
 * Build dist/esm and dist/cjs.
 *
 * Every entry point is one self-contained file: a sandboxed preload script may require `electron` alone, and the main
 * process of Electron 22 loads CommonJS only. openapi-fetch is part of the bundle because it reads `Headers` and
 * `FormData` as globals, which Node 16 does not have: `web-globals.ts` takes their place.
 */
import {execFileSync} from 'node:child_process';
import {cpSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {addParts, partsOfInputs} from './notices.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const entries = ['index', 'preload', 'renderer', 'react', 'contract'];

rmSync(dist, {recursive: true, force: true});
for (const format of ['esm', 'cjs']) {
  const {metafile} = await build({
    absWorkingDir: root,
    metafile: true,
    entryPoints: entries.map((entry) => `src/${entry}.ts`),
    outdir: join('dist', format),
    format,
    bundle: true,
    platform: 'node',
    target: 'node16.17',
    external: ['electron', 'react', 'undici'],
    // Electron 22 does not `import()` in a script that is CommonJS.
    supported: {'dynamic-import': format === 'esm'},
    define: format === 'cjs' ? {'import.meta.url': '__filename'} : {},
    inject: ['src/web-globals.ts'],
    logLevel: 'warning',
  });
  addParts(partsOfInputs(metafile.inputs));
}
// Told apart by the nearest package.json, so that the declarations are right for both module forms.
writeFileSync(join(dist, 'cjs', 'package.json'), '{"type": "commonjs"}\n');

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {cwd: root, stdio: 'inherit'});
cpSync(join(dist, 'types'), join(dist, 'esm'), {recursive: true});
cpSync(join(dist, 'types'), join(dist, 'cjs'), {recursive: true});
rmSync(join(dist, 'types'), {recursive: true});
