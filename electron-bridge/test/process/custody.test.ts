import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import type {SafeStorageLike, Sidecar} from '../../src/index.js';
import {real, sidecar, temporaryFolder} from '../support/real.js';
import {until} from '../support/until.js';

/** Stands in for the secure store of one computer: seals under its name, opens nothing of another's; null has none. */
function storeOf(computer: string | null): SafeStorageLike {
  return {
    isEncryptionAvailable: () => computer !== null,
    encryptString: (text) => Buffer.from(`${String(computer)}:${text}`).reverse(),
    decryptString(sealed) {
      const [name, text] = Buffer.from(sealed).reverse().toString().split(':');
      if (name !== computer || text === undefined) throw new Error('sealed elsewhere');
      return text;
    },
  };
}

async function vaultOf({client}: Sidecar): Promise<{state: string; unreadable: number; secrets: number} | undefined> {
  return (await client.GET('/api/v1/vault')).data;
}

describe.skipIf(sidecar.missing !== null)('what the vault holds under a key of the secure store', () => {
  /** A sidecar whose vault holds a secret under a key in the store of the first computer; then that store is lost. */
  async function lostStore() {
    const configDir = temporaryFolder();
    const file = join(configDir, 'vault-key.bin');
    let recoveryKey = '';
    const custody = (safeStorage: SafeStorageLike) => ({
      safeStorage,
      file,
      onRecoveryKey: (key: string) => {
        recoveryKey = key;
        return true;
      },
    });
    const open = (computer: string | null) => real({configDir, keyCustody: custody(storeOf(computer))}).sidecar;
    const first = open('first');
    await first.ready();
    const operation = {
      op: 'set',
      owner_kind: 'system',
      owner_id: 'default',
      name: 'openai',
      secret: 'sk-canary',
    } as const;
    expect((await first.client.POST('/api/v1/vault/bulk', {body: {operations: [operation]}})).response.status).toBe(
      200,
    );
    expect(await vaultOf(first)).toMatchObject({state: 'unlocked', secrets: 1});
    await first.stop();
    return {open, file, recoveryKey};
  }

  test('is locked, not replaced, and the recovery key opens it and goes into the new store', async () => {
    const {open, recoveryKey} = await lostStore();
    const second = open('second');
    await locked(second);
    expect(second.snapshot.custody).toMatchObject({kind: 'key-file', reason: 'store-unreadable'});

    await second.recover(recoveryKey);
    await second.ready();

    expect(second.snapshot.custody).toMatchObject({kind: 'secure-store'});
    expect(await vaultOf(second)).toMatchObject({state: 'unlocked', secrets: 1, unreadable: 0});
    await second.stop();
    const later = open('second');
    await later.ready();
    expect(await vaultOf(later)).toMatchObject({state: 'unlocked', secrets: 1});
  });

  test('is opened without a restart where there is no secure store any more', async () => {
    const {open, recoveryKey} = await lostStore();
    const second = open(null);
    await second.ready(); // the vault comes a moment later, and is waited for
    const {baseUrl} = second;

    await second.recover(recoveryKey);

    expect(await vaultOf(second)).toMatchObject({state: 'unlocked', secrets: 1, unreadable: 0});
    expect(second.baseUrl).toBe(baseUrl);
  });

  test('stays locked under a wrong key, which is not stored', async () => {
    const {open, file} = await lostStore();
    const second = open('second');
    await locked(second);
    const sealed = readFileSync(file);

    await expect(second.recover('short')).rejects.toMatchObject({code: 'recovery-key-malformed'});
    await expect(second.recover(`${'A'.repeat(43)}=`)).rejects.toMatchObject({code: 'recovery-key-wrong'});

    expect(readFileSync(file)).toEqual(sealed);
    expect(await vaultOf(second)).toMatchObject({state: 'locked'});
  });

  test('needs no recovery key while it is open', async () => {
    const {open, recoveryKey} = await lostStore();
    const first = open('first');
    await first.ready();

    await expect(first.recover(recoveryKey)).rejects.toMatchObject({code: 'vault-not-locked'});
  });
});

async function locked(started: Sidecar): Promise<void> {
  await started.ready();
  await until(() => started.snapshot.status?.vault.state === 'locked', 10_000, 'the vault to be locked');
}
