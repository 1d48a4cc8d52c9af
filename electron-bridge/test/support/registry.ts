/**
 * An npm registry of this computer: it has the archives it is given, and every package that is installed in the checkout.
 * So a fresh project can be installed as anybody would, and nothing is asked of the network.
 */
import {execFileSync, spawn} from 'node:child_process';
import {createReadStream, existsSync, readFileSync, readdirSync} from 'node:fs';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {basename, dirname, join} from 'node:path';
import {createGzip} from 'node:zlib';
import {BRIDGE} from '../../scripts/python.mjs';

interface Manifest {
  readonly name: string;
  readonly version: string;
}

interface Entry {
  readonly manifest: Manifest;
  /** An archive, or the folder of an installed package. */
  readonly source: string;
}

export class Registry {
  readonly #entries: readonly Entry[];
  readonly #server = createServer((request, response) => this.#answer(request, response));

  constructor(archives: readonly string[]) {
    const packed = archives.map((source) => ({source, manifest: manifestIn(source)}));
    const ours = new Set(packed.map(({manifest}) => manifest.name));
    this.#entries = [...packed, ...installed().filter(({manifest}) => !ours.has(manifest.name))];
  }

  /** Start, and give the variables with which npm asks this registry alone. */
  async listen(cache: string): Promise<Record<string, string>> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return {
      npm_config_registry: this.#address(),
      npm_config_cache: cache,
      npm_config_userconfig: join(cache, 'npmrc'),
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
      npm_config_yes: 'true',
    };
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  #answer({url = ''}: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(url.slice(1));
    if (path.startsWith('archive/')) {
      sendArchive(this.#entries[Number(path.slice('archive/'.length))], response);
      return;
    }
    const found = [...this.#entries.entries()].filter(([, {manifest}]) => manifest.name === path);
    if (found.length === 0) {
      response.writeHead(404).end('{}');
      return;
    }
    const versions: Record<string, object> = {};
    for (const [index, {manifest}] of found)
      versions[manifest.version] = {...manifest, dist: {tarball: `${this.#address()}archive/${index}`}};
    const latest = found[0]?.[1].manifest.version;
    response
      .writeHead(200, {'content-type': 'application/json'})
      .end(JSON.stringify({'name': path, 'dist-tags': {latest}, versions}));
  }
}

function sendArchive(entry: Entry | undefined, response: ServerResponse): void {
  if (entry === undefined) response.writeHead(404).end();
  else if (entry.source.endsWith('.tgz')) createReadStream(entry.source).pipe(response);
  else {
    // npm drops the first folder of every path, whatever its name.
    const args = ['-c', '--exclude', '*/node_modules', '-C', dirname(entry.source), basename(entry.source)];
    spawn('tar', args, {stdio: ['ignore', 'pipe', 'ignore']})
      .stdout.pipe(createGzip({level: 1}))
      .pipe(response);
  }
}

function manifestIn(archive: string): Manifest {
  const text = execFileSync('tar', ['-xzOf', archive, 'package/package.json'], {encoding: 'utf8'});
  return JSON.parse(text) as Manifest;
}

/** What `npm ci` put into the checkout, packages of packages too. */
function installed(folder = join(BRIDGE, 'node_modules')): Entry[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name.startsWith('@')) return installed(path);
    const file = join(path, 'package.json');
    if (!existsSync(file)) return [];
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
    return [{manifest, source: path}, ...installed(join(path, 'node_modules'))];
  });
}
