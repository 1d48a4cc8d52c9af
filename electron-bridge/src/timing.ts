/** Waiting that ends early when a signal aborts. */
import {setTimeout as delay} from 'node:timers/promises';

/** Wait; false when `signal` aborted meanwhile. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(durationMs, undefined, {signal});
    return true;
  } catch {
    return false;
  }
}

/** The promise's value, or null once `durationMs` have passed without one. */
export async function within<T>(promise: Promise<T>, durationMs: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), durationMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A promise, with the means to settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return {promise, resolve, reject};
}

/**
 * Calls `onSilence` once nothing was heard for `limitMs`.
 *
 * When this process itself was stopped (a suspended laptop, a debugger), the timer is due before the output that waits
 * in the pipe is read; the second look after `SECOND_LOOK_MS` gives that output its chance.
 */
export class SilenceWatch {
  static readonly SECOND_LOOK_MS = 250;
  readonly #limitMs: number;
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(limitMs: number, onSilence: () => void) {
    this.#limitMs = limitMs;
    this.#onSilence = onSilence;
    this.heard();
  }

  /** Something was heard: count from the start. */
  heard(): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(this.#onSilence, SilenceWatch.SECOND_LOOK_MS);
    }, this.#limitMs);
  }

  /** Stop watching for good. */
  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
