import {expect, test} from 'vitest';
import type {Platform, Snapshot} from '../../src/client/platform.js';
import {SituationStore} from '../../src/data/situation.js';

const baseUrl = 'http://127.0.0.1:1';

/** What the page believes, and since when it was ready, after each of these states. */
function believed(...states: readonly Snapshot['state'][]): readonly boolean[] {
  let tell: (snapshot: Snapshot) => void = () => undefined;
  const platform: Pick<Platform, 'watch'> = {
    watch(listener) {
      tell = listener;
      return () => undefined;
    },
  };
  const store = new SituationStore(platform as Platform);
  store.subscribe(() => undefined);
  return states.map((state) => {
    tell({state, status: null, custody: null});
    return store.get().isReady;
  });
}

test('the work is asked for when the sidecar is ready, or takes calls that it answers in a moment', () => {
  expect(
    believed(
      {kind: 'launching', launch: 1},
      {kind: 'starting', baseUrl, problem: null, takesCalls: false},
      {kind: 'starting', baseUrl, problem: null, takesCalls: true},
      {kind: 'ready', baseUrl},
      {kind: 'reconnecting', baseUrl, problem: null},
    ),
  ).toEqual([false, false, true, true, false]);
});
