/** One launch of the sidecar: the process, the proof of its server, and the following of both until the end. */
import {randomBytes} from 'node:crypto';
import type {LivingState, Problem, SidecarStatus} from './contract.js';
import {Endpoint} from './endpoint.js';
import {PROTOCOL, type ListeningEvent, type SidecarEvent} from './events.js';
import {followStatus, pollHealth} from './health.js';
import type {Command} from './locate.js';
import {SidecarError, bridgeProblem, type BridgeProblemCode} from './problems.js';
import {
  startProcess,
  type AppIdentity,
  type HandshakeSecrets,
  type ProcessEnd,
  type SidecarProcess,
} from './process.js';
import {SilenceWatch, pause, within} from './timing.js';

const TOKEN_BYTES = 32;
const ASK_SHUTDOWN_MS = 1_000;
/** What a sidecar that is told to go by the end of its stdin needs at most. */
const DISMISS_GRACE_MS = 3_000;
const PROOF_TRIES = 3;
const PROOF_RETRY_MS = 100;
/** How long `ready` is kept back for a first answer; then the sidecar's word counts. */
const FIRST_ANSWER_MS = 10_000;

export interface LaunchOptions {
  readonly command: Command;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: HandshakeSecrets;
  readonly app: AppIdentity;
  readonly startSilenceMs: number;
  readonly pollIntervalMs: number;
  /** The server listens and has proven itself; called once, before the first `onState`. */
  readonly onListening: () => void;
  readonly onState: (state: LivingState, problem: Problem | null) => void;
  /** The database is ready; so is the sidecar once it has answered a first call, for which `onState` is called. */
  readonly onTakesCalls: () => void;
  readonly onStatus: (status: SidecarStatus) => void;
  readonly onLog: (line: string) => void;
}

export class Launch {
  /** Settles once the process is gone; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  readonly #options: LaunchOptions;
  readonly #token = randomBytes(TOKEN_BYTES).toString('hex');
  readonly #following = new AbortController();
  readonly #silence: SilenceWatch;
  readonly #process: SidecarProcess;
  #connection: Endpoint | null = null;
  #isProven = false;
  #wasForced = false;
  /** Whether more than the server itself has answered, or that was given up. */
  #hasAnswered = false;
  #answerDeadline: NodeJS.Timeout | null = null;
  #last: {readonly state: LivingState; readonly problem: Problem | null} = {state: 'starting', problem: null};
  /** Why we ended the process ourselves. */
  #verdict: Problem | null = null;

  constructor(options: LaunchOptions) {
    this.#options = options;
    this.#silence = new SilenceWatch(options.startSilenceMs, () => this.#refuse('start-silent'));
    this.#process = startProcess({
      ...options,
      token: this.#token,
      onEvent: (event) => this.#onEvent(event),
      onLog: (line) => {
        this.#silence.heard();
        options.onLog(line);
      },
    });
    this.ended = this.#process.ended.then((end) => this.#onEnd(end));
  }

  /** The way to the sidecar; null until it has proven itself, and after its end. */
  get endpoint(): Endpoint | null {
    return this.#isProven ? this.#connection : null;
  }

  /** Whether `stop()` had to kill it. */
  get wasForced(): boolean {
    return this.#wasForced;
  }

  /** Ask, wait `graceMs`, kill. */
  async stop(graceMs: number): Promise<void> {
    const wasAsked = await this.#askShutdown();
    // Our own streams would count as requests that still run.
    this.#following.abort();
    if (!wasAsked) this.#process.closeStdin();
    if ((await within(this.ended, graceMs)) !== null) return;
    this.#wasForced = true;
    this.#process.closeStdin();
    this.#process.kill();
    await this.ended;
  }

  #onEvent(event: SidecarEvent): void {
    this.#silence.heard();
    if (event.event === 'listening') void this.#onListening(event);
    else if (event.event === 'state') this.#onState(event.state, event.problem);
  }

  async #onListening({protocol, host, port}: ListeningEvent): Promise<void> {
    this.#silence.end();
    if (this.#connection !== null || this.#isOver()) return;
    if (protocol !== PROTOCOL || host !== '127.0.0.1' || port < 1 || port > 65_535) {
      this.#refuse('protocol-unsupported');
      return;
    }
    this.#connection = new Endpoint(port, this.#token);
    const refusal = await proveAtStart(this.#connection, this.#following.signal);
    if (this.#isOver()) return;
    if (refusal === null) this.#follow(this.#connection);
    else this.#refuse(refusal);
  }

  #follow(endpoint: Endpoint): void {
    const {onListening, onStatus, pollIntervalMs} = this.#options;
    const {signal} = this.#following;
    this.#isProven = true;
    onListening();
    this.#onState(this.#last.state, this.#last.problem);
    const isBelievedReady = (): boolean => this.#last.state === 'ready';
    void pollHealth(endpoint, signal, pollIntervalMs, isBelievedReady, ({state, problem}) =>
      this.#onState(state, problem),
    );
    void followStatus(endpoint, signal, pollIntervalMs, onStatus, () => this.#onAnswered());
  }

  #onState(state: LivingState, problem: Problem | null): void {
    this.#last = {state, problem};
    if (!this.#isProven || this.#isOver()) return;
    if (state !== 'ready' || this.#hasAnswered) this.#options.onState(state, problem);
    else this.#awaitFirstAnswer();
  }

  /**
   * The sidecar is ready when its database is, while it may still load what answers calls. Whoever waits for `ready`
   * wants an answer at once. The stream of status documents is answered by what answers all the team's work.
   */
  #awaitFirstAnswer(): void {
    this.#options.onTakesCalls();
    if (this.#answerDeadline !== null) return;
    this.#answerDeadline = setTimeout(() => this.#onAnswered(), FIRST_ANSWER_MS);
    // The stream keeps its connection: the first call finds another one, proven while it is waited for.
    void this.endpoint?.ask({method: 'GET', path: '/health/live', signal: this.#following.signal}).catch(() => null);
  }

  #onAnswered(): void {
    if (this.#hasAnswered) return;
    this.#hasAnswered = true;
    clearTimeout(this.#answerDeadline ?? undefined);
    if (this.#last.state === 'ready') this.#onState(this.#last.state, this.#last.problem);
  }

  /** A function, because what it tells changes during an `await`. */
  #isOver(): boolean {
    return this.#following.signal.aborted;
  }

  #onEnd(end: ProcessEnd): ProcessEnd {
    this.#silence.end();
    this.#following.abort();
    clearTimeout(this.#answerDeadline ?? undefined);
    this.#isProven = false;
    this.#connection?.close();
    return this.#verdict === null ? end : {...end, problem: this.#verdict};
  }

  /** Let a process go that is of no use: gently first, for it may be writing. */
  #refuse(code: BridgeProblemCode): void {
    this.#verdict ??= bridgeProblem(code);
    this.#process.closeStdin();
    void within(this.ended, DISMISS_GRACE_MS).then((end) => {
      if (end === null) this.#process.kill();
    });
  }

  async #askShutdown(): Promise<boolean> {
    try {
      const answer = await this.endpoint?.ask({method: 'POST', path: '/api/v1/shutdown', timeoutMs: ASK_SHUTDOWN_MS});
      return answer?.status === 202;
    } catch {
      return false;
    }
  }
}

/** Null when the server has proven itself, else why not. */
async function proveAtStart(endpoint: Endpoint, signal: AbortSignal): Promise<BridgeProblemCode | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      await endpoint.ask({method: 'GET', path: '/health/live', signal});
      return null;
    } catch (error) {
      if (error instanceof SidecarError && error.code === 'proof-invalid') return 'proof-invalid';
      if (attempt === PROOF_TRIES || !(await pause(PROOF_RETRY_MS, signal))) return 'unreachable';
    }
  }
}
