/** Problems that only a parent process can see, in the shape of the sidecar's own. */
import type {ExitReport, Problem} from './contract.js';

/** An error of the bridge. `problem.code` is stable; the message is its sentence with the remedy. */
export class SidecarError extends Error {
  override readonly name = 'SidecarError';
  readonly problem: Problem;
  /** How the process ended, if that is what happened. */
  readonly exit: ExitReport | null;

  constructor(problem: Problem, exit: ExitReport | null = null) {
    super(`${problem.message} ${problem.remedy}`);
    this.problem = problem;
    this.exit = exit;
  }

  /** Stable code, such as `already-running`. */
  get code(): string {
    return this.problem.code;
  }
}

const YOU = 'you';
const DEVELOPER = 'developer';

type Entry = readonly [who: Problem['who'], retryable: boolean, message: string, remedy: string];

const UPDATE = 'Update the app; if it is up to date already, install it again.';
const REPORT = 'Start the app again; if it comes back, send the log to the developer.';

const CATALOGUE = {
  'usage': [
    DEVELOPER,
    false,
    'The sidecar does not know an option that the app starts it with: an update is needed.',
    UPDATE,
  ],
  'port-in-use': [
    YOU,
    true,
    'The network port of the sidecar is taken by another program.',
    'Close that program, or let the sidecar choose its port.',
  ],
  'already-running': [
    YOU,
    true,
    'Another running copy of the app uses these settings.',
    'Close the other copy, then start again.',
  ],
  'handshake-invalid': [
    DEVELOPER,
    false,
    'The app and its sidecar do not understand each other: an update is needed.',
    UPDATE,
  ],
  'encryption-key-invalid': [
    YOU,
    false,
    'A secret in the environment or in the secure store is malformed.',
    'Correct or remove it; the log names it. Nothing was changed.',
  ],
  'config-directory-unusable': [
    YOU,
    false,
    'The folder for settings cannot be created, opened or written.',
    'Check the rights of the folder and the free disk space.',
  ],
  'internal': [DEVELOPER, true, 'The sidecar met an unexpected error and ended.', REPORT],
  'killed': [
    DEVELOPER,
    true,
    'The sidecar was ended from outside.',
    'If it comes back, an antivirus program or a lack of memory may be the cause.',
  ],
  'stopped-unasked': [DEVELOPER, true, 'The sidecar stopped although nobody asked it to.', REPORT],
  'unknown-exit': [DEVELOPER, true, 'The sidecar ended for a reason this version of the app does not know.', REPORT],
  'sidecar-missing': [
    DEVELOPER,
    false,
    'The sidecar program was not found.',
    'Install the app again; an antivirus program may have removed a file.',
  ],
  'sidecar-not-executable': [
    DEVELOPER,
    false,
    'The system refused to run the sidecar program.',
    'Install the app again, or allow the program in the antivirus settings.',
  ],
  'sidecar-damaged': [
    YOU,
    false,
    'A part of the sidecar program is missing or damaged.',
    'Install the app again; an antivirus program may have removed a file.',
  ],
  'start-silent': [DEVELOPER, true, 'The sidecar was started but said nothing.', REPORT],
  'proof-invalid': [DEVELOPER, true, 'Another program answers at the address of the sidecar.', REPORT],
  'protocol-unsupported': [
    DEVELOPER,
    false,
    'The sidecar speaks another protocol version than the app: an update is needed.',
    UPDATE,
  ],
  'recovery-key-malformed': [
    YOU,
    false,
    'This is not a recovery key.',
    'A recovery key has 44 characters and ends with "=".',
  ],
  'recovery-key-wrong': [
    YOU,
    false,
    'This recovery key belongs to another vault.',
    'Enter the one that was handed over on this computer.',
  ],
  'vault-not-locked': [YOU, false, 'The vault needs no recovery key now.', 'Wait until the database is ready.'],
  'token-refused': [
    DEVELOPER,
    false,
    'The sidecar makes no token for a user.',
    'Give `startSidecar` the secret with which tokens are signed: `secrets: {jwtSecretKey}`.',
  ],
  'bundle-failed': [
    YOU,
    true,
    'The support file could not be written.',
    'Choose another folder; if that does not help, install the app again.',
  ],
  'update-pending': [
    YOU,
    true,
    'The app is about to be updated, so the sidecar is not started.',
    'Wait until the app has started again.',
  ],
  'not-running': [YOU, true, 'The sidecar is not running.', 'Wait until it is started, or start it again.'],
  'unreachable': [YOU, true, 'The sidecar did not answer.', 'Try again.'],
} as const satisfies Record<string, Entry>;

const SPEAKER = 'taskflow-sidecar: ';

/** Codes of problems that the bridge itself reports. */
export type BridgeProblemCode = keyof typeof CATALOGUE;
export const BRIDGE_PROBLEM_CODES = Object.keys(CATALOGUE) as readonly BridgeProblemCode[];

/**
 * The bridge's problem `code`, dated now.
 *
 * @param detail a sentence with the fact that one needs.
 */
export function bridgeProblem(code: BridgeProblemCode, detail = ''): Problem {
  const [who, retryable, sentence, remedy] = CATALOGUE[code];
  const message = `${sentence} ${detail}`.trim();
  return {
    code,
    message,
    remedy,
    retryable,
    who,
    since: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    next_retry_in_s: null,
  };
}

/** Exit statuses of the sidecar, and what each means. */
export const EXIT_STATUSES = {
  0: 'stopped-unasked',
  2: 'usage',
  3: 'port-in-use',
  4: 'already-running',
  5: 'handshake-invalid',
  6: 'encryption-key-invalid',
  7: 'config-directory-unusable',
  70: 'internal',
} as const satisfies Readonly<Record<number, BridgeProblemCode>>;

/**
 * Statuses of what starts a program, which then has not begun: PyInstaller's 255, the shell's and the linker's 126 and 127,
 * and Windows' for a library that is missing (0xC0000135) or no library (0xC000007B).
 */
const NOT_BEGUN: ReadonlySet<number> = new Set([126, 127, 255, 0xc0000135, 0xc000007b]);

/** Ends that a second launch cannot cure. Exit 4 is not among them: the owner may be on its way out. */
const PERMANENT: ReadonlySet<string> = new Set<BridgeProblemCode>([
  'usage',
  'handshake-invalid',
  'encryption-key-invalid',
  'config-directory-unusable',
  'sidecar-missing',
  'sidecar-not-executable',
  'sidecar-damaged',
  'protocol-unsupported',
]);

/** Whether launching the sidecar again may help. */
export function isPermanent(code: string): boolean {
  return PERMANENT.has(code);
}

/**
 * What the end of a process that nobody asked to stop means.
 *
 * @param announcedCode `code` of the sidecar's `exit` event, if it came so far: it survives a wrapper that changes
 *   the exit status.
 * @param executable where the program is.
 */
export function problemOfExit(exit: ExitReport, announcedCode: string | null, executable: string): Problem {
  if (announcedCode !== null && announcedCode !== 'stopped' && isExitCode(announcedCode)) {
    return bridgeProblem(announcedCode, lastWords(exit));
  }
  if (exit.status === null) return bridgeProblem('killed');
  if (NOT_BEGUN.has(exit.status)) return bridgeProblem('sidecar-damaged', `It is at ${executable}.`);
  const codes: Readonly<Record<number, BridgeProblemCode>> = EXIT_STATUSES;
  return bridgeProblem(codes[exit.status] ?? 'unknown-exit', lastWords(exit));
}

/** The sentence with which the sidecar took its leave: it holds neither secrets nor submitted values. */
function lastWords({logTail}: ExitReport): string {
  const line = logTail.at(-1) ?? '';
  return line.startsWith(SPEAKER) ? line.slice(SPEAKER.length) : '';
}

function isExitCode(code: string): code is BridgeProblemCode {
  return (Object.values(EXIT_STATUSES) as string[]).includes(code);
}
