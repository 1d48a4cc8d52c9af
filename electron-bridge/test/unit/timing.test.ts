import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {SilenceWatch, pause, within} from '../../src/timing.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('silence counts from the last thing heard', () => {
  const onSilence = vi.fn();
  const watch = new SilenceWatch(1_000, onSilence);

  for (let count = 0; count < 5; count++) {
    vi.advanceTimersByTime(900);
    watch.heard();
  }
  expect(onSilence).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000 + SilenceWatch.SECOND_LOOK_MS);

  expect(onSilence).toHaveBeenCalledOnce();
});

test('after this process itself was stopped, what waits in the pipe still counts', () => {
  const onSilence = vi.fn();
  const watch = new SilenceWatch(1_000, onSilence);

  vi.advanceTimersByTime(1_000);
  watch.heard();
  vi.advanceTimersByTime(SilenceWatch.SECOND_LOOK_MS + 500);

  expect(onSilence).not.toHaveBeenCalled();
});

test('once ended, it stays quiet', () => {
  const onSilence = vi.fn();
  const watch = new SilenceWatch(1_000, onSilence);

  watch.end();
  watch.heard();
  vi.advanceTimersByTime(10_000);

  expect(onSilence).not.toHaveBeenCalled();
});

test('a wait that is cut short says so', async () => {
  vi.useRealTimers();
  const controller = new AbortController();
  const wait = pause(60_000, controller.signal);

  controller.abort();

  expect(await wait).toBe(false);
  expect(await pause(60_000, controller.signal)).toBe(false);
  expect(await pause(1, new AbortController().signal)).toBe(true);
});

test('a promise is waited for no longer than said', async () => {
  vi.useRealTimers();

  expect(await within(Promise.resolve('value'), 60_000)).toBe('value');
  expect(await within(new Promise(() => undefined), 1)).toBeNull();
});
