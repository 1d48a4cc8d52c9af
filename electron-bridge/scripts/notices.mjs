/**
 * Tell what the package is made of: `dist/sbom.cdx.json` (CycloneDX 1.5) and `dist/THIRD_PARTY_NOTICES.txt` list every
 * package whose code was bundled into it, with its licence. Each step of the build adds what it has bundled.
 */
import {existsSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {BRIDGE} from './python.mjs';

const LIST = join(BRIDGE, 'dist', 'sbom.cdx.json');
const NOTICES = join(BRIDGE, 'dist', 'THIRD_PARTY_NOTICES.txt');
const RULE = '='.repeat(100);

/** @typedef {{name: string, version: string, license: string, text: string}} Part */

/**
 * Add to both files, unless they name it already.
 *
 * @param {readonly Part[]} parts
 */
export function addParts(parts) {
  const {name, version, license} = JSON.parse(readFileSync(join(BRIDGE, 'package.json'), 'utf8'));
  const list = existsSync(LIST)
    ? JSON.parse(readFileSync(LIST, 'utf8'))
    : {
        bomFormat: 'CycloneDX',
        specVersion: '1.5',
        version: 1,
        metadata: {component: {type: 'library', name, version, purl: purl(name, version), licenses: licenses(license)}},
        components: [],
      };
  const known = new Set(list.components.map((/** @type {{purl: string}} */ component) => component.purl));
  let notices = existsSync(NOTICES) ? readFileSync(NOTICES, 'utf8') : '';
  for (const part of parts) {
    const address = purl(part.name, part.version);
    if (known.has(address)) continue;
    known.add(address);
    list.components.push({
      'type': 'library',
      'bom-ref': address,
      'name': part.name,
      'version': part.version,
      'purl': address,
      'licenses': licenses(part.license),
    });
    notices += `${RULE}\n${part.name} ${part.version} (${part.license})\n${RULE}\n\n${part.text.trim()}\n\n`;
  }
  writeFileSync(LIST, `${JSON.stringify(list, null, 1)}\n`);
  writeFileSync(NOTICES, notices);
}

/**
 * The packages that an esbuild has read.
 *
 * @param {Readonly<Record<string, unknown>>} inputs of its metafile
 * @returns {Part[]}
 */
export function partsOfInputs(inputs) {
  const names = Object.keys(inputs).flatMap(
    (path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  return [...new Set(names)].sort().map((name) => {
    const folder = join(BRIDGE, 'node_modules', name);
    const {version, license} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} brings no licence`);
    return {name, version, license, text: readFileSync(join(folder, file), 'utf8')};
  });
}

/**
 * The packages that Vite's own list of licences names.
 *
 * @param {string} markdown
 * @returns {Part[]}
 */
export function partsOfLicenses(markdown) {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...text] = section.split('\n');
      const [, name, version, license] = /^(\S+) - (\S+) \((.+)\)$/.exec(heading) ?? [];
      if (name === undefined || version === undefined || license === undefined)
        throw new Error(`the list of licences has an entry of another form: ${heading}`);
      return {name, version, license, text: text.join('\n')};
    });
}

/** @param {string} license */
function licenses(license) {
  return [/ (?:AND|OR|WITH) /.test(license) ? {expression: license} : {license: {id: license}}];
}

/** @param {string} name @param {string} version */
function purl(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}
