/**
 * Build the interface: `npm run ui`. Vite puts it into the Python package, which serves it; Electron apps get a copy in
 * `dist/ui`, with a policy inside the page, because no header comes with a file.
 */
import {cpSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {build} from 'vite';
import {BRIDGE, CHECKOUT} from './python.mjs';

export const SERVED = join(CHECKOUT, 'backend', 'app', 'web', 'ui');
const PACKED = join(BRIDGE, 'dist', 'ui');
/** The page reaches the sidecar over IPC, so it needs no connection of its own. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'none'; " +
  "base-uri 'none'; form-action 'none'";

export async function buildUi() {
  await build({configFile: join(BRIDGE, 'renderer', 'vite.config.ts'), logLevel: 'warn'});
  rmSync(PACKED, {recursive: true, force: true});
  cpSync(SERVED, PACKED, {recursive: true});
  const page = join(PACKED, 'index.html');
  const meta = `<meta http-equiv="Content-Security-Policy" content="${POLICY}" />`;
  writeFileSync(page, readFileSync(page, 'utf8').replace('<meta charset="utf-8" />', `$&\n    ${meta}`));
}

if (process.argv[1] === import.meta.filename) await buildUi();
