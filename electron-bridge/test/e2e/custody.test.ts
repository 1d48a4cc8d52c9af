import {createHmac} from 'node:crypto';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {buildExample} from '../../scripts/example.mjs';
import {App, isComplete, python} from '../support/app.js';
import {Keyring, keyringPart} from '../support/keyring.js';
import {requireBuild, startDisplay, type Display} from '../support/parts.js';
import {Postgres} from '../support/postgres.js';

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
      await buildExample();
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

    const openWithKeyring = (): Promise<App> =>
      App.open(home, {...display?.variables, ...keyring.variables}, ['--password-store=gnome-libsecret']);
    const dialogs = (app: App): Promise<{detail?: string}[]> =>
      app.electron.evaluate(() => (globalThis as unknown as {dialogsShown: {detail?: string}[]}).dialogsShown);
    const fingerprint = (app: App): Promise<string | null> =>
      app.page.evaluate(
        () =>
          new Promise<string | null>((resolve) => {
            window.taskflow.watch(({state, status}) => {
              if (state.kind === 'ready' && status?.state === 'ready') resolve(status.vault.key_fingerprint);
            });
          }),
      );

    test('the key is handed over for recovery, kept in the keyring, and used by the sidecar', async () => {
      const app = await openWithKeyring();
      await app.reaches('Ready');

      const [dialog] = await dialogs(app);
      recoveryKey = dialog?.detail?.split('\n')[0] ?? '';

      expect(recoveryKey).toMatch(/^[A-Za-z0-9_-]{43}=$/);
      expect(await app.page.locator('#custody').isVisible()).toBe(false);
      expect(readFileSync(file, 'latin1')).not.toContain(recoveryKey);
      const expected = createHmac('sha256', Buffer.from(recoveryKey, 'base64url'))
        .update('kcv/v1')
        .digest('hex')
        .slice(0, 16);
      expect(await fingerprint(app)).toBe(expected);
      await app.page.getByLabel('Connection string (DSN)').fill(postgres.dsn());
      await app.page.getByRole('button', {name: 'Save'}).click();
      await app.page.locator('#database', {hasText: 'Connected to'}).waitFor();
      await app.close();
    });

    test('at the next start nobody is asked again', async () => {
      const app = await openWithKeyring();
      await app.reaches('Ready');

      expect(await dialogs(app)).toEqual([]);
      expect(await app.page.locator('#custody').isVisible()).toBe(false);
      await app.close();
    });

    test('when the keyring is lost, that is said, the team database is still reached, and nothing is replaced', async () => {
      const sealed = readFileSync(file);
      const app = await App.open(home, display?.variables ?? {}, ['--password-store=basic']);

      await app.reaches('Ready');

      await app.page.locator('#database', {hasText: 'Connected to'}).waitFor();
      expect(await app.page.locator('#custody').textContent()).toContain('does not open the key');
      expect(readFileSync(file)).toEqual(sealed);
      await app.shot('11-keyring-lost');
      await app.close();
    });

    test('and when it is back, the key is back', async () => {
      const app = await openWithKeyring();
      await app.reaches('Ready');

      expect(await app.page.locator('#custody').isVisible()).toBe(false);
      await app.close();
    });
  },
);
