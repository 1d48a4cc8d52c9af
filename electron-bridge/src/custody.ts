/**
 * Optional custody of the vault's root key in the system's secure store (Electron's `safeStorage`: DPAPI, Keychain,
 * the desktop's keyring).
 *
 * The key itself is kept in a file that only that store can open. It is made once, and only after the app has taken
 * its copy for recovery: a secure store can be lost (a new computer, a reset password), and the vault must not be
 * lost with it. A stored key is never replaced because it cannot be read at the moment.
 *
 * The database settings do not hang on this key: they stay under the sidecar's own `fernet.key`.
 */
import {createHmac, randomBytes} from 'node:crypto';
import {closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
import type {CustodyReport} from './contract.js';
import {errorCode} from './guards.js';

/** The part of Electron's `safeStorage` that is used; `getSelectedStorageBackend` exists from Electron 25, on Linux. */
export interface SafeStorageLike {
  isEncryptionAvailable(): boolean;
  encryptString(plaintext: string): Buffer;
  decryptString(encrypted: Buffer): string;
  getSelectedStorageBackend?(): string;
}

export interface KeyCustodyOptions {
  readonly safeStorage: SafeStorageLike;
  /** File for the key as the secure store encrypted it, such as `vault-key.bin` in `app.getPath('userData')`. */
  readonly file: string;
  /**
   * Called once, before a new key is used, with the key as text. Show, print or deposit it: together with the database
   * it opens the vault when the secure store is lost. Answer false to stay with the key file.
   */
  readonly onRecoveryKey: (recoveryKey: string) => boolean | Promise<boolean>;
  /** @default process.platform */
  readonly platform?: NodeJS.Platform;
}

const STAYS_IN_FILE = 'so the key stays in a file that only this account can read.';

/** The key to hand to the sidecar, if there is one, and what to tell about it. */
export interface Custody {
  readonly encryptionKey: string | null;
  readonly report: CustodyReport;
}

/** Fetch the key from the secure store, or make it there. Never throws: without it the sidecar uses its key file. */
export async function takeKey(options: KeyCustodyOptions): Promise<Custody> {
  const unavailable = whyUnavailable(options);
  let stored: string | null;
  try {
    stored = readStored(options);
  } catch {
    return keyFile(
      'store-unreadable',
      'The secure store of this computer does not open the key that was kept in it. Nothing was replaced: ' +
        'unlock the store and start again, or enter the recovery key.',
    );
  }
  if (unavailable !== null) return keyFile('no-secure-store', unavailable);
  return stored === null ? makeKey(options) : secured(options, stored);
}

async function makeKey(options: KeyCustodyOptions): Promise<Custody> {
  const {safeStorage, file, onRecoveryKey} = options;
  const key = newFernetKey();
  try {
    const sealed = safeStorage.encryptString(key);
    // Proven before anybody relies on it.
    if (safeStorage.decryptString(sealed) !== key) throw new Error('the secure store does not give back what it took');
    if (!(await onRecoveryKey(key))) {
      return keyFile('recovery-declined', `No recovery key was taken, ${STAYS_IN_FILE}`);
    }
    writeStored(file, sealed);
    return secured(options, key);
  } catch {
    return keyFile('no-secure-store', `The secure store of this computer refused to keep the key, ${STAYS_IN_FILE}`);
  }
}

/**
 * Put a recovery key into the secure store, in the place of one that it no longer opens.
 *
 * @returns whether the store took it.
 */
export function keepKey(options: KeyCustodyOptions, key: string): boolean {
  if (whyUnavailable(options) !== null) return false;
  try {
    writeStored(options.file, options.safeStorage.encryptString(key));
    return true;
  } catch {
    return false;
  }
}

/** A recovery key as a person typed it; null when it cannot be one. */
export function parseRecoveryKey(text: string): string | null {
  const key = text.trim();
  return isFernetKey(key) ? key : null;
}

/** What the sidecar shows to name a key: the first 16 hex digits of HMAC-SHA256 under it. */
export function fingerprintOf(key: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64url')).update('kcv/v1').digest('hex').slice(0, 16);
}

function whyUnavailable({safeStorage, platform = process.platform}: KeyCustodyOptions): string | null {
  try {
    if (!safeStorage.isEncryptionAvailable()) {
      return `This computer offers no secure store, ${STAYS_IN_FILE}`;
    }
    if (platform === 'linux' && safeStorage.getSelectedStorageBackend?.() === 'basic_text') {
      return `This desktop has no keyring, ${STAYS_IN_FILE}`;
    }
    return null;
  } catch {
    return `The secure store of this computer does not answer, ${STAYS_IN_FILE}`;
  }
}

function secured({safeStorage, platform = process.platform}: KeyCustodyOptions, encryptionKey: string): Custody {
  const backend = platform === 'linux' ? (safeStorage.getSelectedStorageBackend?.() ?? 'keyring') : platform;
  return {encryptionKey, report: {kind: 'secure-store', backend}};
}

function keyFile(reason: Extract<CustodyReport, {kind: 'key-file'}>['reason'], message: string): Custody {
  return {encryptionKey: null, report: {kind: 'key-file', reason, message}};
}

/** 32 random bytes in URL-safe base64, 44 characters with the padding that Fernet demands. */
function newFernetKey(): string {
  return `${randomBytes(32).toString('base64url')}=`;
}

function isFernetKey(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}=$/.test(text) && `${Buffer.from(text, 'base64url').toString('base64url')}=` === text;
}

/** The stored key; null when none was ever stored. Throws when the store does not open it. */
function readStored({safeStorage, file}: KeyCustodyOptions): string | null {
  let sealed: Buffer;
  try {
    sealed = readFileSync(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const key = safeStorage.decryptString(sealed);
  if (!isFernetKey(key)) throw new Error('the stored key is damaged');
  return key;
}

function writeStored(file: string, sealed: Buffer): void {
  mkdirSync(dirname(file), {recursive: true, mode: 0o700});
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const descriptor = openSync(temporary, 'w', 0o600);
    try {
      writeSync(descriptor, sealed);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, {force: true});
    throw error;
  }
}
