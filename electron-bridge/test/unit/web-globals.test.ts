import {afterEach, expect, test, vi} from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

test('where the platform has Headers and FormData, those are used', async () => {
  const here = await import('../../src/web-globals.js');

  expect(here.Headers).toBe(globalThis.Headers);
  expect(here.FormData).toBe(globalThis.FormData);
});

test('elsewhere Headers behaves as far as a client needs it', async () => {
  vi.stubGlobal('Headers', undefined);
  vi.stubGlobal('FormData', undefined);
  const here = await import('../../src/web-globals.js');

  const headers = new (here.Headers as typeof Headers)();
  headers.set('Content-Type', 'text/plain');
  headers.set('content-type', 'application/json');
  headers.append('X', '1');
  headers.append('x', '2');
  headers.set('gone', 'x');
  headers.delete('Gone');

  expect(headers.get('CONTENT-TYPE')).toBe('application/json');
  expect(headers.get('gone')).toBeNull();
  expect(headers.has('X')).toBe(true);
  expect([...headers]).toEqual([
    ['content-type', 'application/json'],
    ['x', '1, 2'],
  ]);
  expect([...headers.entries()]).toEqual([...headers]);
  const seen: string[] = [];
  headers.forEach((value, name) => seen.push(`${name}=${value}`));
  expect(seen).toEqual(['content-type=application/json', 'x=1, 2']);
  expect({} instanceof (here.FormData as typeof FormData)).toBe(false);
});
