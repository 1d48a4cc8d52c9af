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

/** The shortest of up to three times in milliseconds, fewer once one is below `limitMs`: others use the computer too. */
export async function shortest(limitMs: number, measure: () => Promise<number>): Promise<number> {
  let least = Infinity;
  for (let tries = 0; tries < 3 && least >= limitMs; tries += 1) least = Math.min(least, await measure());
  return least;
}

/** The same of what `act` takes. */
export function quickest(limitMs: number, act: () => Promise<void>): Promise<number> {
  return shortest(limitMs, async () => {
    const begun = performance.now();
    await act();
    return performance.now() - begun;
  });
}
