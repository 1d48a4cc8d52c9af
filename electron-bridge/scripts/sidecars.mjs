/**
 * Name the sidecar's packages in package.json while it is packed: `node scripts/sidecars.mjs add | remove`.
 *
 * npm then installs the one for the computer's system together with the bridge. In a checkout, whose sidecar runs from
 * its sources, they are not asked for.
 */
import {readFileSync, writeFileSync} from 'node:fs';

/** As `scripts/build.py --npm` makes them, each on the system it is for. */
export const SYSTEMS = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-x64', 'darwin-arm64'];

if (process.argv[1] === import.meta.filename) {
  const file = 'package.json'; // npm runs this in the package's folder
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  if (process.argv[2] === 'add') {
    const packages = SYSTEMS.map((system) => [`@taskflow/sidecar-${system}`, manifest.version]);
    manifest.optionalDependencies = Object.fromEntries(packages);
  } else delete manifest.optionalDependencies;
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}
