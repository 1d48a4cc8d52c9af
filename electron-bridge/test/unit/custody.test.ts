import {existsSync, readFileSync, readdirSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, test} from 'vitest';
import {
  fingerprintOf,
  keepKey,
  parseRecoveryKey,
  takeKey,
  type KeyCustodyOptions,
  type SafeStorageLike,
} from '../../src/custody.js';
import {temporaryFolder} from '../support/folder.js';

/** A secure store that reverses bytes; `lost` makes it fail to open what it sealed. */
function store(
  options: {available?: boolean; lost?: boolean; backend?: string; broken?: boolean} = {},
): SafeStorageLike {
  return {
    isEncryptionAvailable: () => options.available ?? true,
    encryptString(text) {
      if (options.broken === true) throw new Error('no');
      return Buffer.from(text, 'utf8').reverse();
    },
    decryptString(sealed) {
      if (options.lost === true) throw new Error('cannot decrypt');
      return Buffer.from(sealed).reverse().toString('utf8');
    },
    ...(options.backend === undefined ? {} : {getSelectedStorageBackend: () => options.backend ?? ''}),
  };
}

function custody(more: Partial<KeyCustodyOptions> = {}): KeyCustodyOptions & {readonly handedOver: string[]} {
  const handedOver: string[] = [];
  return {
    safeStorage: store(),
    file: join(temporaryFolder(), 'folder', 'key.bin'),
    platform: 'darwin',
    handedOver,
    onRecoveryKey(key) {
      handedOver.push(key);
      return true;
    },
    ...more,
  };
}

test('a key is made once, handed over for recovery, and is the same at each start', async () => {
  const options = custody();

  const first = await takeKey(options);
  const second = await takeKey(options);

  expect(first).toEqual({encryptionKey: options.handedOver[0], report: {kind: 'secure-store', backend: 'darwin'}});
  expect(first.encryptionKey).toMatch(/^[A-Za-z0-9_-]{43}=$/);
  expect(second).toEqual(first);
  expect(options.handedOver).toHaveLength(1);
});

test('the file holds only what the store sealed, for its owner alone', async () => {
  const options = custody();

  const {encryptionKey} = await takeKey(options);

  expect(readFileSync(options.file, 'latin1')).not.toContain(encryptionKey);
  expect(statSync(options.file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dirname(options.file))).toEqual(['key.bin']);
});

test.each([
  {name: 'no store', safeStorage: store({available: false}), platform: 'win32' as const},
  {name: 'only obfuscation on Linux', safeStorage: store({backend: 'basic_text'}), platform: 'linux' as const},
  {name: 'a store that refuses', safeStorage: store({broken: true}), platform: 'darwin' as const},
])('with $name the key file serves, and that is said', async ({safeStorage, platform}) => {
  const options = custody({safeStorage, platform});

  const {encryptionKey, report} = await takeKey(options);

  expect(encryptionKey).toBeNull();
  expect(report).toMatchObject({kind: 'key-file', reason: 'no-secure-store'});
  expect(existsSync(options.file)).toBe(false);
});

test('a keyring on Linux is named', async () => {
  const {report} = await takeKey(custody({safeStorage: store({backend: 'gnome_libsecret'}), platform: 'linux'}));

  expect(report).toEqual({kind: 'secure-store', backend: 'gnome_libsecret'});
});

test('nothing is kept for whoever takes no recovery key', async () => {
  const options = custody({onRecoveryKey: () => false});

  expect((await takeKey(options)).report).toMatchObject({kind: 'key-file', reason: 'recovery-declined'});
  expect(existsSync(options.file)).toBe(false);
});

test('a lost store replaces nothing and makes no new key', async () => {
  const options = custody();
  await takeKey(options);
  const sealed = readFileSync(options.file);

  const {encryptionKey, report} = await takeKey({...options, safeStorage: store({lost: true})});

  expect(encryptionKey).toBeNull();
  expect(report).toMatchObject({kind: 'key-file', reason: 'store-unreadable'});
  expect(readFileSync(options.file)).toEqual(sealed);
  expect(options.handedOver).toHaveLength(1);
});

test('a store that is away is told apart from one that never was, when it once took a key', async () => {
  const options = custody();
  await takeKey(options);

  const {report} = await takeKey({...options, safeStorage: store({available: false, lost: true})});

  expect(report).toMatchObject({kind: 'key-file', reason: 'store-unreadable'});
});

test('a damaged file is a lost store too', async () => {
  const options = custody();
  await takeKey(options);
  writeFileSync(options.file, 'damaged');

  expect((await takeKey(options)).report).toMatchObject({reason: 'store-unreadable'});
});

test('the recovery key puts the same key into a new store', async () => {
  const options = custody();
  const {encryptionKey} = await takeKey(options);
  writeFileSync(options.file, 'sealed by a store that is gone');

  expect(keepKey(options, encryptionKey ?? '')).toBe(true);

  expect((await takeKey(options)).encryptionKey).toBe(encryptionKey);
});

test('a store that is not there keeps nothing', () => {
  const options = custody({safeStorage: store({available: false})});

  expect(keepKey(options, 'x')).toBe(false);
  expect(keepKey({...options, safeStorage: store({broken: true})}, 'x')).toBe(false);
  expect(existsSync(options.file)).toBe(false);
});

const ZEROES = `${'A'.repeat(43)}=`;

test('a recovery key is taken with the blanks of a careless copy', () => {
  expect(parseRecoveryKey(` ${ZEROES}\n`)).toBe(ZEROES);
});

test.each(['', 'short', 'A'.repeat(43), `${'A'.repeat(42)}B=`, '*'.repeat(43) + '='])(
  '%j is no recovery key',
  (text) => {
    expect(parseRecoveryKey(text)).toBeNull();
  },
);

test('a key is named by the HMAC of a fixed text', () => {
  // printf kcv/v1 | openssl dgst -sha256 -mac HMAC -macopt hexkey:00..00
  expect(fingerprintOf(ZEROES)).toBe('b47ef2678b481767');
});
