/** The team's changes, followed across broken streams, lost databases and restarts of the sidecar. */
import type {Change} from './contract.js';
import {StreamRefusedError, type Endpoint, type StreamEvent} from './endpoint.js';
import {isRecord} from './guards.js';
import {pause} from './timing.js';

const RETRY_MS = 250;

export interface FollowOptions {
  /** `lastEventId` of the last change that is known; what was missed since comes first. @default none: from now on */
  readonly lastEventId?: string | null | undefined;
  /** Ends the iteration. @default never */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Yield every change. Without a position to go on from, a `resync` comes first, as soon as the stream stands.
 *
 * @param untilReady gives the way to a ready sidecar, or null once the signal has aborted.
 */
export async function* followChanges(
  untilReady: (signal: AbortSignal) => Promise<Endpoint | null>,
  {lastEventId = null, signal = new AbortController().signal}: FollowOptions,
): AsyncGenerator<Change, void, undefined> {
  let position = lastEventId;
  for (;;) {
    const endpoint = await untilReady(signal);
    if (endpoint === null) return;
    try {
      let isNew = position === null;
      for await (const event of endpoint.events('/api/v1/events', signal, position)) {
        position = event.id ?? position;
        if (isNew) yield {resource: '*', change: 'resync', lastEventId: position};
        isNew = false;
        const change = parseChange(event, position);
        if (change !== null) yield change;
      }
    } catch (error) {
      // A position that this database does not know, or not any more.
      if (error instanceof StreamRefusedError && error.status === 400) position = null;
    }
    if (!(await pause(RETRY_MS, signal))) return;
  }
}

function parseChange({data}: StreamEvent, lastEventId: string | null): Change | null {
  if (data === null) return null;
  const value: unknown = JSON.parse(data);
  // Our own sidecar's, whose events match its schema: only the shape is checked.
  return isRecord(value) && typeof value['resource'] === 'string' && typeof value['change'] === 'string'
    ? ({...value, lastEventId} as unknown as Change)
    : null;
}
