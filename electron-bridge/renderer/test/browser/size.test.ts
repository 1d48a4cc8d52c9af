import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {expect, test} from 'vitest';
import {SERVED} from '../../../scripts/ui.mjs';

interface Chunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
}

const MOST_BYTES = 250_000;

test('what loads first is under 250 kB of compressed JavaScript', () => {
  const manifest = JSON.parse(readFileSync(join(SERVED, 'manifest.json'), 'utf8')) as Record<string, Chunk>;
  const first = new Set<string>();
  const add = (name: string): void => {
    if (first.has(name)) return;
    first.add(name);
    manifest[name]?.imports?.forEach(add);
  };
  for (const [name, chunk] of Object.entries(manifest)) if (chunk.isEntry === true) add(name);

  const bytes = [...first].map((name) => gzipSync(readFileSync(join(SERVED, manifest[name]?.file ?? ''))).length);

  expect(bytes.length).toBeGreaterThan(0);
  expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(MOST_BYTES);
});
