/** The sidecar's events: JSON lines on its standard output. */
import type {LivingState, Problem} from './contract.js';
import {isRecord} from './guards.js';

/** The protocol version this bridge speaks. */
export const PROTOCOL = 1;

/** Fails to compile when the sidecar gains or loses a state. */
const LIVING_STATES: Readonly<Record<LivingState, true>> = {
  starting: true,
  setup_required: true,
  ready: true,
  failed: true,
  reconnecting: true,
};

export interface ListeningEvent {
  readonly event: 'listening';
  readonly protocol: number;
  readonly host: string;
  readonly port: number;
  readonly version: string;
}

export interface StateEvent {
  readonly event: 'state';
  readonly state: LivingState;
  readonly problem: Problem | null;
}

export interface ExitEvent {
  readonly event: 'exit';
  readonly code: string;
}

export type SidecarEvent = ListeningEvent | StateEvent | ExitEvent;

/**
 * Read one line; null when it is no event this version knows. Unknown fields are ignored, so that a newer sidecar
 * may say more than this bridge understands.
 */
export function parseEvent(line: string): SidecarEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  switch (value['event']) {
    case 'listening':
      return listening(value);
    case 'state':
      return isLivingState(value['state'])
        ? {event: 'state', state: value['state'], problem: parseProblem(value['problem'])}
        : null;
    case 'exit':
      return typeof value['code'] === 'string' ? {event: 'exit', code: value['code']} : null;
    default:
      return null;
  }
}

function listening(value: Readonly<Record<string, unknown>>): ListeningEvent | null {
  const {protocol, host, port, version} = value;
  if (typeof protocol !== 'number') return null;
  return {
    event: 'listening',
    protocol,
    // A future protocol may announce its address otherwise; its number alone is enough to refuse it.
    host: typeof host === 'string' ? host : '',
    port: typeof port === 'number' ? port : 0,
    version: typeof version === 'string' ? version : '',
  };
}

const DETAILS = ['host', 'port', 'username', 'database', 'sqlstate', 'step', 'at'] as const;

/** Read the facts for whoever repairs it; what is of another kind counts as not known. */
function parseDetails(value: unknown): Problem['details'] {
  if (!isRecord(value)) return undefined;
  const texts = DETAILS.map((name) => [name, typeof value[name] === 'string' ? value[name] : null]);
  const details = Object.fromEntries(texts) as Record<(typeof DETAILS)[number], string | null>;
  return {...details, port: typeof value['port'] === 'number' ? value['port'] : details.port};
}

export function isLivingState(value: unknown): value is LivingState {
  return typeof value === 'string' && Object.hasOwn(LIVING_STATES, value);
}

/** Read a problem; null unless it has at least a code and a message. */
export function parseProblem(value: unknown): Problem | null {
  if (!isRecord(value)) return null;
  const {code, message, remedy, retryable, who, since, next_retry_in_s: nextRetry} = value;
  if (typeof code !== 'string' || typeof message !== 'string') return null;
  const details = parseDetails(value['details']);
  return {
    code,
    message,
    remedy: typeof remedy === 'string' ? remedy : '',
    retryable: retryable === true,
    who: who === 'you' || who === 'database administrator' ? who : 'developer',
    since: typeof since === 'string' ? since : '',
    next_retry_in_s: typeof nextRetry === 'number' ? nextRetry : null,
    ...(details === undefined ? {} : {details}),
  };
}
