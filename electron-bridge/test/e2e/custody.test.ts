import {createHmac} from 'node:crypto';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {App, isComplete, python} from '../support/app.js';
import {Keyring, keyringPart} from '../support/keyring.js';
import {requireBuild, startDisplay, type Display} from '../support/parts.js';
import {Postgres} from '../support/postgres.js';
import {until} from '../support/until.js';

const isLinux = process.platform === 'linux';

describe.skipIf(!isComplete || !isLinux || keyringPart().missing !== null)(
  'custody of the key, with a real keyring',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'taskflow-custody-'));
    const home = join(folder, 'app');
    const file = join(home, 'vault-key.bin');
    let display: Display | null = null;
    let keyring: Keyring;
    let postgres: Postgres;
    let recoveryKey = '';

    beforeAll(async () => {
      requireBuild();
      display = await startDisplay();
      keyring = await Keyring.start(join(folder, 'keyring'));
      postgres = await Postgres.start(python.value ?? '');
    });

    afterAll(async () => {
      keyring.stop();
      await postgres.stop();
      display?.close();
      rmSync(folder, {recursive: true, force: true});
    });

    const open = (variables: Readonly<Record<string, string>>, store: string): Promise<App> =>
      App.open({
        home,
        variables: {...display?.variables, ...variables},
        switches: [`--password-store=${store}`],
        custody: true,
      });
    const openWithKeyring = (): Promise<App> => open(keyring.variables, 'gnome-libsecret');
    const recoveryKeys = (app: App): Promise<string[]> =>
      app.electron.evaluate(() => (globalThis as unknown as {recoveryKeys: string[]}).recoveryKeys);

    test('the key is handed over for recovery, kept in the keyring, and used by the sidecar', async () => {
      const app = await openWithKeyring();
      const {custody, status} = await app.reaches('ready');

      [recoveryKey = ''] = await recoveryKeys(app);

      expect(recoveryKey).toMatch(/^[A-Za-z0-9_-]{43}=$/);
      expect(custody).toEqual({kind: 'secure-store', backend: expect.any(String) as string});
      expect(readFileSync(file, 'latin1')).not.toContain(recoveryKey);
      const expected = createHmac('sha256', Buffer.from(recoveryKey, 'base64url'))
        .update('kcv/v1')
        .digest('hex')
        .slice(0, 16);
      expect(status?.vault.key_fingerprint).toBe(expected);
      const saved = await app.page.evaluate((dsn) => window.taskflow.saveConnection({dsn}), postgres.dsn());
      expect(saved.ok).toBe(true);
      await until(async () => (await app.reaches('ready')).status?.database?.dialect === 'postgresql', 20_000, 'it');
      await app.close();
    });

    test('at the next start nobody is asked again', async () => {
      const app = await openWithKeyring();
      const {custody} = await app.reaches('ready');

      expect(await recoveryKeys(app)).toEqual([]);
      expect(custody?.kind).toBe('secure-store');
      await app.close();
    });

    test('when the keyring is lost, that is said, the team database is still reached, and nothing is replaced', async () => {
      const sealed = readFileSync(file);
      const app = await open({}, 'basic');

      const {custody, status} = await app.reaches('ready');

      expect(status?.database?.dialect).toBe('postgresql');
      expect(custody).toMatchObject({
        kind: 'key-file',
        message: expect.stringContaining('does not open the key') as string,
      });
      expect(readFileSync(file)).toEqual(sealed);
      await app.shot('11-keyring-lost');
      await app.close();
    });

    test('and when it is back, the key is back', async () => {
      const app = await openWithKeyring();

      expect((await app.reaches('ready')).custody?.kind).toBe('secure-store');
      await app.close();
    });
  },
);
