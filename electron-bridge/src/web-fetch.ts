/**
 * `fetch` and its companions where the platform has none: Electron before 28 brings a Node without them. They are
 * undici's, loaded only when they are used.
 */
type Undici = Pick<typeof import('undici'), 'Agent' | (typeof NAMES)[number]>;

const NAMES = ['fetch', 'Headers', 'Request', 'Response', 'FormData', 'File'] as const;
const STREAMS = ['ReadableStream', 'WritableStream', 'TransformStream'] as const;

/** The library; the platform loads it once. */
export function loadUndici(): Promise<Undici> {
  return import('undici');
}

/**
 * Put the globals in place that SDKs for the web expect, such as `openai` and `@anthropic-ai/sdk`: `fetch`, `Headers`,
 * `Request`, `Response`, `FormData`, `File`, `Blob` and the web streams. What the platform has already is left alone.
 */
export async function installFetch(): Promise<void> {
  const missing = (name: string): boolean => !(name in globalThis);
  // Not read with the bridge, because few apps need them and every app waits for its start.
  const [{default: buffer}, {default: webStreams}] = await Promise.all([
    import('node:buffer'),
    import('node:stream/web'),
  ]);
  const parts: Record<string, unknown> = {Blob: buffer.Blob};
  for (const name of STREAMS) parts[name] = webStreams[name];
  if (NAMES.some(missing)) {
    const undici = await loadUndici();
    for (const name of NAMES) parts[name] = undici[name];
  }
  for (const [name, value] of Object.entries(parts)) {
    if (missing(name)) Object.defineProperty(globalThis, name, {value, configurable: true, writable: true});
  }
}
