/** Readiness by asking: the fall-back beside the sidecar's own state lines. */
import type {SidecarStatus} from './contract.js';
import type {Endpoint} from './endpoint.js';
import {isLivingState} from './events.js';
import {isRecord} from './guards.js';
import {pause} from './timing.js';

const HEALTH_TIMEOUT_MS = 5_000;

/** `GET /health`: true when ready, false when not, null when nothing answered. */
export async function isReady(endpoint: Endpoint, signal: AbortSignal): Promise<boolean | null> {
  try {
    const {status} = await endpoint.ask({method: 'GET', path: '/health', signal, timeoutMs: HEALTH_TIMEOUT_MS});
    return status === 200;
  } catch {
    return null;
  }
}

/** Read `GET /api/v1/status`; null when it does not answer as expected. */
export async function readStatus(endpoint: Endpoint, signal: AbortSignal): Promise<SidecarStatus | null> {
  try {
    const {status, body} = await endpoint.ask({
      method: 'GET',
      path: '/api/v1/status',
      signal,
      timeoutMs: HEALTH_TIMEOUT_MS,
    });
    return status === 200 ? parseStatus(body) : null;
  } catch {
    return null;
  }
}

/** A status document as JSON text; null when it is none. */
export function parseStatus(text: string): SidecarStatus | null {
  try {
    const value: unknown = JSON.parse(text);
    // The process is proven to be our own sidecar, whose answers match its schema: only the shape is checked.
    return isRecord(value) && isLivingState(value['state']) && Array.isArray(value['stages'])
      ? (value as unknown as SidecarStatus)
      : null;
  } catch {
    return null;
  }
}

/**
 * Ask for health every `intervalMs` until `signal` aborts. When two answers in a row contradict what `believesReady`
 * says, a state line was lost, and `onContradiction` gets the status document.
 */
export async function pollHealth(
  endpoint: Endpoint,
  signal: AbortSignal,
  intervalMs: number,
  believesReady: () => boolean,
  onContradiction: (status: SidecarStatus) => void,
): Promise<void> {
  let contradictions = 0;
  while (await pause(intervalMs, signal)) {
    const ready = await isReady(endpoint, signal);
    contradictions = ready === null || ready === believesReady() ? 0 : contradictions + 1;
    if (contradictions < 2) continue;
    const status = await readStatus(endpoint, signal);
    if (status !== null && (status.state === 'ready') !== believesReady()) onContradiction(status);
    contradictions = 0;
  }
}

/**
 * Follow `GET /api/v1/status/events` until `signal` aborts; a broken stream is opened again.
 *
 * @param onAnswered called when it has been answered, or cannot be.
 */
export async function followStatus(
  endpoint: Endpoint,
  signal: AbortSignal,
  intervalMs: number,
  onStatus: (status: SidecarStatus) => void,
  onAnswered: () => void,
): Promise<void> {
  do {
    try {
      for await (const {data} of endpoint.events('/api/v1/status/events', signal)) {
        onAnswered();
        const status = parseStatus(data ?? '');
        if (status !== null && !signal.aborted) onStatus(status);
      }
    } catch {
      // broken or not there yet
    }
    onAnswered();
  } while (await pause(intervalMs, signal));
}
