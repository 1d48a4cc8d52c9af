/** A real PostgreSQL, run by the Python tests' own fixture. */
import {spawn, type ChildProcessWithoutNullStreams} from 'node:child_process';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'postgres_server.py');

/** How the superuser reaches it. */
export interface PostgresFields {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

export class Postgres {
  readonly fields: PostgresFields;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, fields: PostgresFields) {
    this.#child = child;
    this.#lines = lines;
    this.fields = fields;
  }

  static async start(python: string): Promise<Postgres> {
    const child = spawn(python, [SCRIPT], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }) as unknown as ChildProcessWithoutNullStreams;
    const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
    return new Postgres(child, lines, (await nextLine(lines)) as PostgresFields);
  }

  /** A DSN for the superuser, or with another password. */
  dsn(password = this.fields.password, database = this.fields.database): string {
    const {host, port, username} = this.fields;
    return `postgresql://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
  }

  async query(sql: string, database = this.fields.database): Promise<unknown[][]> {
    return (await this.#ask({do: 'query', sql, database})) as unknown[][];
  }

  async execute(sql: string, database = this.fields.database): Promise<void> {
    await this.#ask({do: 'execute', sql, database});
  }

  /** Run a statement in a session of its own, which stays open with all its locks until `release`. */
  async hold(sql: string, database = this.fields.database): Promise<void> {
    await this.#ask({do: 'hold', sql, database});
  }

  /** End the sessions of `hold`. */
  async release(): Promise<void> {
    await this.#ask({do: 'release'});
  }

  /** Kill it and all its processes, as a crash does. */
  async kill(): Promise<void> {
    await this.#ask({do: 'kill'});
  }

  /** Start it again, on the same port and data. */
  async startAgain(): Promise<void> {
    await this.#ask({do: 'start'});
  }

  /** How many sessions of sidecars there are. */
  async sessions(): Promise<number> {
    return (await this.#ask({do: 'sessions'})) as number;
  }

  /** End all sessions of sidecars, as an administrator does; how many there were. */
  async terminate(): Promise<number> {
    return (await this.#ask({do: 'terminate'})) as number;
  }

  /** A second server that follows this one: every commit waits for it. */
  async startStandby(): Promise<PostgresFields> {
    return (await this.#ask({do: 'standby'})) as PostgresFields;
  }

  /** The second server takes over, and everything that is asked from here on is asked of it. */
  async promote(): Promise<void> {
    await this.#ask({do: 'promote'});
  }

  /** Put a foreign vault key in the place of the team's, as somebody could who owns the database. */
  async plantKey(database = this.fields.database): Promise<void> {
    await this.#ask({do: 'plant', database});
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }

  async #ask(command: object): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return nextLine(this.#lines);
  }
}

async function nextLine(lines: AsyncIterator<string>): Promise<unknown> {
  const line = await lines.next();
  if (line.done === true) throw new Error('the PostgreSQL of the tests ended; its reason stands above');
  return JSON.parse(line.value);
}
