/** One sidecar process: spawned, handed its secrets over stdin, listened to, ended. */
import {spawn, type ChildProcess} from 'node:child_process';
import type {ExitReport, Problem} from './contract.js';
import {PROTOCOL, parseEvent, type SidecarEvent} from './events.js';
import {errorCode} from './guards.js';
import {splitLines} from './lines.js';
import type {Command} from './locate.js';
import {bridgeProblem, problemOfExit} from './problems.js';

const LOG_TAIL_LINES = 40;
const LOG_LINE_CHARS = 2_000;
/** A grandchild may hold the pipes open; its output is not waited for longer than this. */
const DRAIN_MS = 500;

/** What goes over stdin, and nowhere else. */
export interface HandshakeSecrets {
  readonly encryptionKey: string | null;
  readonly jwtSecretKey: string | null;
  readonly apiKeyEncryptionSecret: string | null;
}

/** Who starts the sidecar, and which versions of it will do. */
export interface AppIdentity {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly minSidecar?: string | undefined;
  readonly maxSidecar?: string | undefined;
}

export interface ProcessOptions {
  readonly command: Command;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly token: string;
  readonly secrets: HandshakeSecrets;
  readonly app: AppIdentity;
  readonly onEvent: (event: SidecarEvent) => void;
  readonly onLog: (line: string) => void;
}

/** How a process ended, and what that means. */
export interface ProcessEnd {
  readonly exit: ExitReport;
  readonly problem: Problem;
}

export interface SidecarProcess {
  readonly pid: number | undefined;
  /** Settles once the process is gone; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Tell the sidecar that its parent is done with it. */
  closeStdin(): void;
  /** End it at once. */
  kill(): void;
}

/** Start the sidecar: the executable itself, without a shell, not detached. */
export function startProcess(options: ProcessOptions): SidecarProcess {
  const [executable, ...args] = options.command;
  let child: ChildProcess;
  try {
    child = spawn(executable, [...args, '--stdio'], {
      cwd: options.cwd,
      env: {...options.environment},
      shell: false,
      detached: false,
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    // Node throws what it does not know as an ordinary failure to start, such as a block by antivirus on Windows.
    return notStarted(endOfFailedSpawn(error, executable));
  }
  const output = readOutput(child, options);
  const ended = waitForEnd(child, output, executable);
  sendHandshake(child, options);
  return {
    pid: child.pid,
    ended,
    closeStdin: () => void child.stdin?.end(),
    kill: () => void child.kill('SIGKILL'),
  };
}

function sendHandshake(child: ChildProcess, {token, secrets, app}: ProcessOptions): void {
  // A child that dies early breaks the pipe; its end is reported by the exit, not by this.
  child.stdin?.on('error', () => undefined);
  const handshake = {
    protocol: PROTOCOL,
    token,
    encryption_key: secrets.encryptionKey,
    jwt_secret_key: secrets.jwtSecretKey,
    api_key_encryption_secret: secrets.apiKeyEncryptionSecret,
    app: {name: app.name, version: app.version},
    min_version: app.minSidecar,
    max_version: app.maxSidecar,
  };
  child.stdin?.write(`${JSON.stringify(handshake)}\n`);
}

function notStarted(end: ProcessEnd): SidecarProcess {
  return {pid: undefined, ended: Promise.resolve(end), closeStdin: () => undefined, kill: () => undefined};
}

function endOfFailedSpawn(error: unknown, executable: string): ProcessEnd {
  const code = errorCode(error) === 'ENOENT' ? 'sidecar-missing' : 'sidecar-not-executable';
  const text = error instanceof Error ? error.message : String(error);
  return {
    exit: {status: null, signal: null, logTail: [text]},
    problem: bridgeProblem(code, `It was looked for at ${executable}.`),
  };
}

interface Output {
  readonly tail: readonly string[];
  announcedCode: string | null;
}

function readOutput(child: ChildProcess, {token, secrets: given, onEvent, onLog}: ProcessOptions): Output {
  const keys = (given.encryptionKey ?? '').split(',').map((key) => key.trim());
  const secrets = [token, ...keys, given.jwtSecretKey ?? '', given.apiKeyEncryptionSecret ?? ''].filter(
    (text) => text !== '',
  );
  const tail: string[] = [];
  const output: Output = {tail, announcedCode: null};
  const log = (line: string): void => {
    const text = redact(line, secrets).slice(0, LOG_LINE_CHARS);
    tail.push(text);
    if (tail.length > LOG_TAIL_LINES) tail.shift();
    onLog(text);
  };
  const errors = splitLines(log);
  const events = splitLines((line) => {
    const event = parseEvent(line);
    if (event === null) {
      // Not ours: a library or an injected program wrote there. A JSON line is an event of a later version.
      if (!line.startsWith('{')) log(line);
      return;
    }
    if (event.event === 'exit') output.announcedCode = event.code;
    onEvent(event);
  });
  child.stderr?.setEncoding('utf8').on('data', errors.push).on('end', errors.end);
  child.stdout?.setEncoding('utf8').on('data', events.push).on('end', events.end);
  return output;
}

function waitForEnd(child: ChildProcess, output: Output, executable: string): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    const settle = (status: number | null, signal: string | null): void => {
      const exit: ExitReport = {status, signal, logTail: [...output.tail]};
      resolve({exit, problem: problemOfExit(exit, output.announcedCode, executable)});
    };
    child.once('error', (error) => {
      if (child.pid !== undefined) return; // it lives; a signal could not be sent
      resolve(endOfFailedSpawn(error, executable));
    });
    child.once('exit', (status, signal) => {
      const drained = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        settle(status, signal);
      }, DRAIN_MS);
      child.once('close', () => {
        clearTimeout(drained);
        settle(status, signal);
      });
    });
  });
}

function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((result, secret) => result.split(secret).join('[redacted]'), text);
}
