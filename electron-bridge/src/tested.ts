/** What a test of a connection found, from the header `Server-Timing` of its answer. */
import {TEST_PHASES, type ConnectionTest} from './contract.js';

const METRIC = /([a-z]+);(?:dur=(\d+(?:\.\d+)?)|desc="([^"\\]*)")/g;

/** @param header null when the answer had none, as that of an older sidecar. */
export function connectionTest(header: string | null | undefined): ConnectionTest {
  const durations = new Map<string, number>();
  const descriptions = new Map<string, string>();
  for (const [, name = '', duration, description] of (header ?? '').matchAll(METRIC)) {
    if (duration !== undefined) durations.set(name, Number(duration));
    if (description !== undefined) descriptions.set(name, description);
  }
  return {
    serverVersion: descriptions.get('server') ?? null,
    encryption: descriptions.get('encryption') ?? null,
    phases: TEST_PHASES.flatMap((name) => {
      const ms = durations.get(name);
      return ms === undefined ? [] : [{name, ms}];
    }),
  };
}
