/** Starts the sidecar, follows it, restarts it after a crash, stops it. */
import {homedir} from 'node:os';
import {performance} from 'node:perf_hooks';
import {appConfigDir} from './app-folder.js';
import {followChanges, type FollowOptions} from './changes.js';
import {writeBundle} from './bundle.js';
import {clientOver, type SidecarClient} from './client.js';
import type {
  Change,
  CustodyReport,
  ExitReport,
  LivingState,
  Problem,
  SidecarState,
  SidecarStatus,
  Snapshot,
} from './contract.js';
import {fingerprintOf, keepKey, parseRecoveryKey, takeKey, type KeyCustodyOptions} from './custody.js';
import {explainEnd, isDevelopment} from './development.js';
import {Emitter} from './emitter.js';
import type {Answer, Endpoint, Request} from './endpoint.js';
import {sidecarEnvironment} from './environment.js';
import {openGateway, type Gateway, type GatewayOptions} from './gateway.js';
import {Launch} from './launch.js';
import {findCommand, packagedExecutable, platformPackage, type Command} from './locate.js';
import {SidecarError, bridgeProblem, isPermanent} from './problems.js';
import type {AppIdentity, ProcessEnd} from './process.js';
import {deferred, pause, type Deferred} from './timing.js';

/** How long a folder that another copy owns is left alone before it is tried again, at most. */
const MAX_TAKEN_WAIT_MS = 5_000;
/** How long a call waits for a sidecar, or a part of it, that is being started. */
const REACH_MS = 30_000;

/** How often a sidecar that ended by itself is launched again. */
export interface RestartPolicy {
  /** Restarts within `windowMs`; one crash more and the sidecar is given up. @default 3 */
  readonly limit?: number | undefined;
  /** @default 120000 */
  readonly windowMs?: number | undefined;
  /** Wait before the first restart; doubles with each further one in the window. @default 500 */
  readonly delayMs?: number | undefined;
}

/** Secrets of the app's own, handed to the sidecar over stdin: neither arguments nor environment are private. */
export interface SidecarSecrets {
  /** Signs and checks users' and tenants' tokens; at least 32 bytes. */
  readonly jwtSecretKey?: string | undefined;
  /** Mixed into the keys of users' secrets; at least 32 characters. */
  readonly apiKeyEncryptionSecret?: string | undefined;
}

export interface SidecarOptions {
  /**
   * Executable and leading arguments, for development.
   * @default the packaged executable: `RESOURCES/taskflow-sidecar/taskflow-sidecar`; while the app runs from its
   *   sources also that of an installed package, such as `@taskflow/sidecar-linux-x64`
   */
  readonly command?: Command | undefined;
  /** Folder of the app's resources. @default process.resourcesPath */
  readonly resourcesPath?: string | undefined;
  /** Further arguments, such as `['--log-level', 'debug']`. Never a secret: arguments are public. @default [] */
  readonly args?: readonly string[] | undefined;
  /**
   * Folder of `fernet.key` and `db_credentials.enc`.
   * @default what the variable `TASKFLOW_CONFIG_DIR` says; else `taskflow` in the app's `userData`; outside of Electron
   *   the sidecar's own per-user folder
   */
  readonly configDir?: string | undefined;
  /** Folder of the embedded database and the logs. @default `data` in `configDir`, else the sidecar's own */
  readonly dataDir?: string | undefined;
  /** Added to the filtered environment; `undefined` removes a name. Never a secret. @default {} */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** @default the home directory */
  readonly cwd?: string | undefined;
  /** @default none */
  readonly secrets?: SidecarSecrets | undefined;
  /** Name and version of the app, and the versions of the sidecar that it can work with. @default none */
  readonly app?: AppIdentity | undefined;
  /** Keep the vault's key in the system's secure store. @default the sidecar's own key file */
  readonly keyCustody?: KeyCustodyOptions | undefined;
  /** A sidecar that is silent for so long before it listens is given up; output counts as progress. @default 30000 */
  readonly startSilenceMs?: number | undefined;
  /** Grace period of `stop()`, after which the sidecar is killed. @default 7000 */
  readonly stopGraceMs?: number | undefined;
  /** Interval at which `/health` is asked besides. @default 2000 */
  readonly pollIntervalMs?: number | undefined;
  readonly restart?: RestartPolicy | undefined;
  /**
   * Tell on the main process's console, with command and last log lines, why a sidecar is gone.
   * @default true while the app runs from its sources and `NODE_ENV` is not `production`
   */
  readonly developer?: boolean | undefined;
}

export interface SidecarEvents {
  readonly state: SidecarState;
  /** State, status document or custody changed. */
  readonly snapshot: Snapshot;
  /** One line of the sidecar's log, without secrets. */
  readonly log: string;
  /** Where the vault's key lives; told at every start at which `keyCustody` is set. */
  readonly custody: CustodyReport;
}

export interface Sidecar {
  readonly state: SidecarState;
  /** State, last status document and custody in one. */
  readonly snapshot: Snapshot;
  /** Address of the living sidecar, or null. It needs a token, which stays in the bridge: use `client`. */
  readonly baseUrl: string | null;
  /** Typed calls. They reject with `SidecarError` when no answer comes, and return `{data, error, response}` else. */
  readonly client: SidecarClient;
  /** Call `listener` at each event, until the returned function is called. */
  on<E extends keyof SidecarEvents>(event: E, listener: (value: SidecarEvents[E]) => void): () => void;
  /**
   * Resolves when the sidecar listens and has proven itself; its database may not be ready yet. `startSidecar` has
   * called it already; calling it again gives the same promise, or starts anew after `failed` or `stopped`.
   *
   * @throws SidecarError it was given up, or stopped, before.
   */
  start(): Promise<void>;
  /**
   * Resolves when the state is `ready`.
   *
   * @throws SidecarError the state became `failed` or `stopped`; its `problem` tells why.
   */
  ready(): Promise<void>;
  /** Ask, wait a grace period, kill. Resolves when the process is gone; twice gives the same promise. */
  stop(): Promise<void>;
  /**
   * Stop, and stay stopped, so that an updater may replace the sidecar's files: no page can start it again meanwhile.
   *
   * @returns a function that takes this back and starts the sidecar, should the update not happen after all.
   */
  prepareForUpdate(): Promise<() => Promise<void>>;
  /**
   * Open a locked vault with the key that `onRecoveryKey` once handed over. It goes back into the secure store if there
   * is one, and the sidecar is started anew with it; otherwise it unlocks the vault under the sidecar's key file.
   *
   * @throws SidecarError `recovery-key-malformed`, `recovery-key-wrong`, `vault-not-locked`; nothing was changed.
   */
  recover(recoveryKey: string): Promise<void>;
  /**
   * Every change that any desktop makes to the team's work. Goes on by itself after a lost database or a restart of the
   * sidecar, and waits while there is none; ends when `signal` aborts or the loop is left. Unless it is told where to
   * go on, a `resync` comes first, once the stream stands.
   */
  events(options?: FollowOptions): AsyncIterableIterator<Change>;
  /** The status document, the present one first, and each new one; ends when `signal` aborts or the loop is left. */
  statusEvents(options?: Pick<FollowOptions, 'signal'>): AsyncIterableIterator<SidecarStatus>;
  /**
   * What an AI provider's own SDK needs to work with an owner's key, which stays in the sidecar: address, stand-in for
   * the key, `fetch`. It may be kept: the `fetch` follows restarts of the sidecar and renews its credential.
   *
   * @throws SidecarError the sidecar is not running, or signs no tokens (`token-refused`).
   */
  gateway(options: GatewayOptions): Promise<Gateway>;
  /**
   * Write an archive for whoever helps this person: what `doctor` finds, versions and logs, without any secret. It works in
   * every state, also when the sidecar does not start.
   *
   * @throws SidecarError `bundle-failed`, or `sidecar-missing`.
   */
  writeSupportBundle(file: string): Promise<void>;
  /** HTTP to the sidecar as text, with the token added. For calls that `client` has no types for. */
  ask(request: Request): Promise<Answer>;
}

/** Start the sidecar now. Failures show in `state` and reject `start()`; nothing is thrown here. */
export function startSidecar(options: SidecarOptions = {}): Sidecar {
  const supervisor = new Supervisor(options);
  // Whoever only watches the state has not asked for the promise.
  supervisor.start().catch(() => undefined);
  return supervisor;
}

/** From one `start()` to the `stopped` or `failed` that ends it. */
interface Run {
  readonly stopping: AbortController;
  readonly listening: Deferred<true>;
  readonly finished: Promise<void>;
  launch: Launch | null;
  wasForced: boolean;
}

/** What is settled once for all launches of a run. */
interface Given {
  readonly configDir: string | undefined;
  readonly encryptionKey: string | null;
}

class Supervisor implements Sidecar {
  readonly client: SidecarClient;
  readonly #options: SidecarOptions;
  readonly #emitter = new Emitter<SidecarEvents>();
  #state: SidecarState = {kind: 'launching', launch: 1};
  #status: SidecarStatus | null = null;
  #custody: CustodyReport | null = null;
  #run: Run | null = null;
  #started: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;
  #isUpdating = false;

  constructor(options: SidecarOptions) {
    this.#options = options;
    this.client = clientOver((call) => this.ask(call));
  }

  get state(): SidecarState {
    return this.#state;
  }

  get snapshot(): Snapshot {
    return {state: this.#state, status: this.#status, custody: this.#custody};
  }

  get baseUrl(): string | null {
    return this.#run?.launch?.endpoint?.baseUrl ?? null;
  }

  on<E extends keyof SidecarEvents>(event: E, listener: (value: SidecarEvents[E]) => void): () => void {
    return this.#emitter.on(event, listener);
  }

  ask(request: Request): Promise<Answer> {
    const endpoint = this.#run?.launch?.endpoint ?? null;
    if (endpoint === null) return Promise.reject(new SidecarError(bridgeProblem('not-running')));
    return endpoint.ask(request);
  }

  start(): Promise<void> {
    if (this.#isUpdating) return Promise.reject(new SidecarError(bridgeProblem('update-pending')));
    this.#started ??= this.#begin(this.#stopped ?? Promise.resolve());
    return this.#started;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end(this.#run);
    return this.#stopped;
  }

  async prepareForUpdate(): Promise<() => Promise<void>> {
    this.#isUpdating = true;
    await this.stop();
    return () => {
      this.#isUpdating = false;
      return this.start();
    };
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const isSettled = (state: SidecarState): boolean => {
        if (state.kind === 'ready') resolve();
        else if (state.kind === 'failed') reject(new SidecarError(state.problem, state.exit));
        else if (state.kind === 'stopped') reject(new SidecarError(bridgeProblem('not-running')));
        else return false;
        return true;
      };
      if (isSettled(this.#state)) return;
      const off = this.on('state', (state) => {
        if (isSettled(state)) off();
      });
    });
  }

  async recover(recoveryKey: string): Promise<void> {
    const key = parseRecoveryKey(recoveryKey);
    if (key === null) throw new SidecarError(bridgeProblem('recovery-key-malformed'));
    const needed = await this.#neededKey();
    if (needed === null) throw new SidecarError(bridgeProblem('vault-not-locked'));
    if (fingerprintOf(key) !== needed) throw new SidecarError(bridgeProblem('recovery-key-wrong'));
    const {keyCustody} = this.#options;
    if (keyCustody !== undefined && keepKey(keyCustody, key)) {
      await this.stop();
      await this.start();
      return;
    }
    const {error} = await this.client.POST('/api/v1/vault/unlock', {body: {encryption_key: key}});
    if (error !== undefined) throw new SidecarError({...bridgeProblem('recovery-key-wrong'), message: error.error});
  }

  /** Fingerprint of the key that the vault needs, if it needs one; told a moment after the team's work can be used. */
  async #neededKey(): Promise<string | null> {
    const waiting = new AbortController();
    const deadline = setTimeout(() => waiting.abort(), REACH_MS);
    try {
      const known = await this.#until(waiting.signal, () => {
        const isLoading =
          this.#state.kind === 'ready' && (this.#status?.vault.state ?? 'unavailable') === 'unavailable';
        return isLoading ? null : {needed: this.#status?.vault.needs_fingerprint ?? null};
      });
      return known?.needed ?? null;
    } finally {
      clearTimeout(deadline);
    }
  }

  async writeSupportBundle(file: string): Promise<void> {
    const found = this.#command();
    if (found.command === null) throw new SidecarError(found.problem);
    const {cwd = homedir()} = this.#options;
    await writeBundle(file, {command: found.command, cwd, environment: this.#environment(await this.#configDir())});
  }

  events(options: FollowOptions = {}): AsyncIterableIterator<Change> {
    return followChanges((signal) => this.#untilReady(signal), options);
  }

  async *statusEvents({signal}: Pick<FollowOptions, 'signal'> = {}): AsyncIterableIterator<SidecarStatus> {
    let told: SidecarStatus | null = null;
    while (signal?.aborted !== true) {
      const status = await this.#until(signal, () => (this.#status === told ? null : this.#status));
      if (status === null) return;
      told = status;
      yield status;
    }
  }

  gateway(options: GatewayOptions): Promise<Gateway> {
    return openGateway(options, (signal) => this.#reach(signal));
  }

  /** The way to the sidecar, waiting while it is being started; what it has to say of its database is its answer. */
  async #reach(signal?: AbortSignal): Promise<Endpoint> {
    const waiting = new AbortController();
    const giveUp = (): void => waiting.abort();
    const deadline = setTimeout(giveUp, REACH_MS);
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted === true) giveUp();
    try {
      const reached = await this.#until(waiting.signal, () => this.#reachable());
      if (reached instanceof SidecarError) throw reached;
      return reached ?? raise(new SidecarError(bridgeProblem('not-running')));
    } finally {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** The way to the sidecar, or why there is none; null while it is being started. */
  #reachable(): Endpoint | SidecarError | null {
    const endpoint = this.#run?.launch?.endpoint ?? null;
    switch (this.#state.kind) {
      case 'launching':
      case 'starting':
      case 'restarting':
        return null;
      case 'failed':
        return endpoint ?? new SidecarError(this.#state.problem, this.#state.exit);
      default:
        return endpoint ?? new SidecarError(bridgeProblem('not-running'));
    }
  }

  #untilReady(signal: AbortSignal): Promise<Endpoint | null> {
    return this.#until(signal, () => (this.#state.kind === 'ready' ? (this.#run?.launch?.endpoint ?? null) : null));
  }

  /** Wait until `read` gives something, asking it at every change; null once `signal` has aborted. */
  #until<T>(signal: AbortSignal | undefined, read: () => T | null): Promise<T | null> {
    return new Promise((resolve) => {
      const look = (): boolean => {
        const value = signal?.aborted === true ? null : read();
        if (value === null && signal?.aborted !== true) return false;
        resolve(value);
        return true;
      };
      if (look()) return;
      const leave = (): void => {
        if (!look()) return;
        off();
        signal?.removeEventListener('abort', leave);
      };
      const off = this.on('snapshot', leave);
      signal?.addEventListener('abort', leave);
    });
  }

  #begin(previousStop: Promise<void>): Promise<void> {
    const run: Run = {
      stopping: new AbortController(),
      listening: deferred<true>(),
      finished: previousStop.then(() => this.#supervise(run)),
      launch: null,
      wasForced: false,
    };
    this.#run = run;
    this.#stopped = null;
    return run.listening.promise.then(() => undefined);
  }

  /** Launch, and launch again after each crash, until stopped or given up. */
  async #supervise(run: Run): Promise<void> {
    const {limit = 3, windowMs = 120_000, delayMs: firstDelayMs = 500} = this.#options.restart ?? {};
    const given = {configDir: await this.#configDir(), encryptionKey: await this.#takeCustody(run)};
    let crashes: number[] = [];
    let takenCount = 0;
    for (let launch = 1; !isStopping(run); launch++) {
      this.#setState({kind: 'launching', launch});
      const {problem, exit} = await this.#live(run, given);
      if (isStopping(run)) break;
      this.#tellDeveloper(problem, exit);
      if (problem.code === 'already-running') {
        // No crash: the folder is somebody else's for now, and is ours as soon as that one has gone.
        await this.#pauseBefore(
          run,
          launch + 1,
          Math.min(firstDelayMs * 2 ** takenCount++, MAX_TAKEN_WAIT_MS),
          problem,
          exit,
        );
        continue;
      }
      takenCount = 0;
      const now = performance.now();
      crashes = [...crashes.filter((time) => now - time < windowMs), now];
      if (isPermanent(problem.code) || crashes.length > limit) {
        this.#giveUp(run, problem, exit);
        return;
      }
      await this.#pauseBefore(run, launch + 1, firstDelayMs * 2 ** (crashes.length - 1), problem, exit);
    }
    run.listening.reject(new SidecarError(bridgeProblem('not-running')));
    this.#setState({kind: 'stopped', forced: run.wasForced});
  }

  #tellDeveloper(problem: Problem, exit: ExitReport): void {
    if (!(this.#options.developer ?? isDevelopment())) return;
    const command = [...(this.#command().command ?? ['nothing']), ...(this.#options.args ?? [])].join(' ');
    console.error(explainEnd(problem, exit, command));
  }

  async #pauseBefore(run: Run, launch: number, delayMs: number, problem: Problem, exit: ExitReport): Promise<void> {
    this.#setState({kind: 'restarting', launch, delayMs, problem, exit});
    await pause(delayMs, run.stopping.signal);
  }

  #giveUp(run: Run, problem: Problem, exit: ExitReport): void {
    run.listening.reject(new SidecarError(problem, exit));
    this.#started = null;
    this.#setState({kind: 'failed', baseUrl: null, problem, exit});
  }

  async #takeCustody(run: Run): Promise<string | null> {
    const {keyCustody} = this.#options;
    if (keyCustody === undefined) return null;
    const stopped = new Promise<null>((resolve) => {
      run.stopping.signal.addEventListener('abort', () => resolve(null), {once: true});
    });
    // A dialog about the recovery key must not hold up stopping.
    const custody = await Promise.race([takeKey(keyCustody), stopped]);
    if (custody === null) return null;
    this.#custody = custody.report;
    this.#emitter.emit('custody', custody.report);
    this.#announce();
    return custody.encryptionKey;
  }

  /** One process, from its launch to its end. */
  async #live(run: Run, {configDir, encryptionKey}: Given): Promise<ProcessEnd> {
    const {
      args = [],
      cwd = homedir(),
      startSilenceMs = 30_000,
      pollIntervalMs = 2_000,
      secrets,
      app = {},
    } = this.#options;
    const found = this.#command();
    if (found.command === null) return {problem: found.problem, exit: {status: null, signal: null, logTail: []}};
    run.launch = new Launch({
      command: [...found.command, ...args],
      cwd,
      environment: this.#environment(configDir),
      secrets: {
        encryptionKey,
        jwtSecretKey: secrets?.jwtSecretKey ?? null,
        apiKeyEncryptionSecret: secrets?.apiKeyEncryptionSecret ?? null,
      },
      app,
      startSilenceMs,
      pollIntervalMs,
      onListening: () => run.listening.resolve(true),
      onState: (state, problem) => this.#setLivingState(state, problem),
      onTakesCalls: () => this.#setLivingState('starting', null, true),
      onStatus: (status) => {
        this.#status = status;
        this.#announce();
      },
      onLog: (line) => this.#emitter.emit('log', line),
    });
    const end = await run.launch.ended;
    run.wasForced = run.launch.wasForced;
    run.launch = null;
    this.#status = null;
    return end;
  }

  /** The program to start, or what is told when there is none. */
  #command(): {readonly command: Command} | {readonly command: null; readonly problem: Problem} {
    const resourcesPath = this.#options.resourcesPath ?? appResourcesPath();
    const command = findCommand(this.#options.command, resourcesPath);
    if (command !== null) return {command};
    const packaged = resourcesPath === undefined ? [] : [`at ${packagedExecutable(resourcesPath)}`];
    const places = [...packaged, ...(isDevelopment() ? [`in the package ${platformPackage()}`] : [])];
    const problem = bridgeProblem('sidecar-missing', `It was looked for ${places.join(' and ') || 'nowhere'}.`);
    return {command: null, problem};
  }

  #configDir(): Promise<string | undefined> {
    const isGiven = this.#options.configDir !== undefined || (process.env['TASKFLOW_CONFIG_DIR'] ?? '') !== '';
    return isGiven ? Promise.resolve(this.#options.configDir) : appConfigDir();
  }

  #environment(configDir: string | undefined): Record<string, string> {
    const {dataDir, env} = this.#options;
    return sidecarEnvironment(process.env, {
      ...(configDir === undefined ? {} : {TASKFLOW_CONFIG_DIR: configDir}),
      ...(dataDir === undefined ? {} : {TASKFLOW_DATA_DIR: dataDir}),
      ...env,
    });
  }

  async #end(run: Run | null): Promise<void> {
    this.#started = null;
    if (run === null) return;
    run.stopping.abort();
    if (run.launch !== null) {
      this.#setState({kind: 'stopping'});
      await run.launch.stop(this.#options.stopGraceMs ?? 7_000);
    }
    await run.finished;
    if (this.#state.kind !== 'stopped') this.#setState({kind: 'stopped', forced: false});
  }

  #setLivingState(state: LivingState, problem: Problem | null, takesCalls = false): void {
    const {baseUrl} = this;
    if (baseUrl === null || this.#state.kind === 'stopping') return;
    if (state === 'ready') this.#setState({kind: 'ready', baseUrl});
    else if (state === 'failed')
      this.#setState({kind: 'failed', baseUrl, problem: problem ?? bridgeProblem('internal'), exit: null});
    else if (state === 'starting') this.#setState({kind: state, baseUrl, problem, takesCalls});
    else this.#setState({kind: state, baseUrl, problem});
  }

  #setState(state: SidecarState): void {
    this.#state = state;
    this.#emitter.emit('state', state);
    this.#announce();
  }

  #announce(): void {
    this.#emitter.emit('snapshot', this.snapshot);
  }
}

function raise(error: Error): never {
  throw error;
}

/** A function, because what it tells changes during an `await`. */
function isStopping(run: Run): boolean {
  return run.stopping.signal.aborted;
}

/** Electron's `process.resourcesPath`; absent in plain Node. */
function appResourcesPath(): string | undefined {
  return (process as {resourcesPath?: string}).resourcesPath;
}
