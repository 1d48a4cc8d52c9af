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

/** The least of up to three measurements, fewer once one is below `limit`: others use the computer too. */
export async function least(limit: number, measure: () => Promise<number>): Promise<number> {
  let found = Infinity;
  for (let tries = 0; tries < 3 && found >= limit; tries += 1) found = Math.min(found, await measure());
  return found;
}

/** The same of what `act` takes, in milliseconds. */
export function quickest(limitMs: number, act: () => Promise<void>): Promise<number> {
  return least(limitMs, async () => {
    const begun = performance.now();
    await act();
    return performance.now() - begun;
  });
}
