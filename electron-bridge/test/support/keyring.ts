/** A real desktop keyring (gnome-keyring on a D-Bus session of its own) with everything in one folder. */
import {spawn, spawnSync, type ChildProcess} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {part, type Part} from './parts.js';
import {until} from './until.js';

/** Whether the programs are there. */
export function keyringPart(): Part<true> {
  const isThere = ['dbus-daemon', 'gnome-keyring-daemon'].every(
    (program) => spawnSync(program, ['--version'], {stdio: 'ignore'}).error === undefined,
  );
  return part(isThere ? true : null, 'no keyring (Debian: apt-get install -y dbus gnome-keyring)');
}

export class Keyring {
  /** Environment of programs that shall use it. */
  readonly variables: Readonly<Record<string, string>>;
  readonly #children: ChildProcess[];

  private constructor(variables: Readonly<Record<string, string>>, children: ChildProcess[]) {
    this.variables = variables;
    this.#children = children;
  }

  static async start(folder: string): Promise<Keyring> {
    const runtime = join(folder, 'runtime');
    mkdirSync(runtime, {recursive: true, mode: 0o700});
    const variables = {
      XDG_RUNTIME_DIR: runtime,
      XDG_DATA_HOME: join(folder, 'data'),
      XDG_CURRENT_DESKTOP: 'GNOME',
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(runtime, 'bus')}`,
    };
    const env = {...process.env, ...variables};
    const bus = spawn('dbus-daemon', ['--session', '--nofork', `--address=${variables.DBUS_SESSION_BUS_ADDRESS}`], {
      env,
      stdio: 'ignore',
    });
    const ask = (method: string, ...args: string[]): string =>
      spawnSync(
        'dbus-send',
        ['--session', '--print-reply', '--dest=org.freedesktop.DBus', '/', `org.freedesktop.DBus.${method}`, ...args],
        {
          env,
          encoding: 'utf8',
        },
      ).stdout;
    await until(() => ask('GetId') !== '', 10_000, 'the D-Bus session');
    const daemon = spawn('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets'], {
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    daemon.stdin.end('password of the test');
    // Not asked itself: that would make the bus start a second one, which is locked.
    await until(
      () => ask('NameHasOwner', 'string:org.freedesktop.secrets').includes('boolean true'),
      10_000,
      'the keyring',
    );
    return new Keyring(variables, [daemon, bus]);
  }

  stop(): void {
    this.#children.forEach((child) => child.kill('SIGKILL'));
  }
}
