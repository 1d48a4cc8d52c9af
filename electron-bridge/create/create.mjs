#!/usr/bin/env node
/** `npm create @taskflow/app my-app`: copy the template, and put the app's name and the versions into it. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import {basename, join, relative, resolve} from 'node:path';
import {URL, fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

const TEMPLATE = fileURLToPath(new URL('template', import.meta.url));
const {version} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const USAGE = 'Usage: npm create @taskflow/app FOLDER [-- [--electron RANGE] [--force]]';

/**
 * Make an app.
 *
 * @param {string} folder
 * @param {string} [electron] version or range
 */
export function createApp(folder, electron) {
  mkdirSync(folder, {recursive: true});
  cpSync(TEMPLATE, folder, {recursive: true});
  // npm packs no file of this name as it is.
  renameSync(join(folder, 'gitignore'), join(folder, '.gitignore'));
  const name = packageName(basename(resolve(folder)));
  for (const file of ['package.json', 'electron-builder.yml', 'README.md', 'src/main.ts', 'test/start.test.mjs']) {
    const path = join(folder, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('APP_NAME', name).replaceAll('BRIDGE_VERSION', version));
  }
  if (electron === undefined) return;
  const file = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  manifest.devDependencies.electron = electron;
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * A name that npm accepts, made of a folder's.
 *
 * @param {string} folder
 */
function packageName(folder) {
  const name = folder
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'app' : name;
}

function main() {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {electron: {type: 'string'}, force: {type: 'boolean'}, help: {type: 'boolean', short: 'h'}},
  });
  const [folder, ...others] = positionals;
  if (values.help === true || folder === undefined || others.length > 0) {
    console.log(USAGE);
    process.exit(values.help === true ? 0 : 2);
  }
  if (values.force !== true && existsSync(folder) && readdirSync(folder).length > 0) {
    console.error(`${folder} is not empty: name another folder, or add --force.`);
    process.exit(1);
  }
  createApp(folder, values.electron);
  console.log(`Made ${folder}. Now:\n\n  cd ${relative('.', folder) || '.'} && npm install\n  npm start\n`);
}

// npm starts programs through a link.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
