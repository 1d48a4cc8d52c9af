import {setTimeout as delay} from 'node:timers/promises';

/** Poll `condition` until it gives something true, and give that. */
export async function until<T>(
  condition: () => T | Promise<T>,
  timeoutMs: number,
  what: string | (() => string),
  intervalMs = 20,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const isLate = performance.now() >= deadline;
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (isLate) throw new Error(`waited ${timeoutMs} ms in vain for ${typeof what === 'string' ? what : what()}`);
    await delay(intervalMs);
  }
}
