/**
 * What the interface stands on: one client with two transports. In Electron it is the preload bridge, in a browser
 * the sidecar that served the page. Nothing above this folder knows which.
 */
import type {SidecarClient} from '../../../src/client.js';
import type {ConnectionInput, ConnectionTest, Result, SavedConnection, Snapshot} from '../../../src/contract.js';

export type {
  CallError,
  ConnectionInput,
  ConnectionTest,
  Problem,
  Result,
  SavedConnection,
  SidecarState,
  SidecarStatus,
  Snapshot,
  Stage,
} from '../../../src/contract.js';
export type {components} from '../../../src/openapi.js';

/** What a desktop of the team changed; `resync` stands for a gap that cannot be filled. */
export interface Change {
  readonly resource: string;
  readonly id?: string;
  readonly change: string;
}

export interface Platform {
  readonly kind: 'electron' | 'browser';
  /** Typed calls; each throws `Unreachable` when there was no answer at all. */
  readonly client: SidecarClient;
  /** Call `listener` now and at each change of the sidecar's state, until the returned function is called. */
  watch(listener: (snapshot: Snapshot) => void): () => void;
  /** Call `listener` for each change of the team's work, until the returned function is called. */
  onChange(listener: (change: Change) => void): () => void;
  retry(): Promise<Result<null>>;
  /** Start a sidecar that is gone; null where nobody here can. */
  readonly startAgain: (() => Promise<Result<null>>) | null;
  /** Keep a support archive, without secrets, where the person says; false when they choose nowhere. */
  saveSupportBundle(): Promise<Result<boolean>>;
  readConnection(): Promise<Result<SavedConnection | null>>;
  /** Try a connection; nothing is saved. */
  testConnection(input: ConnectionInput): Promise<Result<ConnectionTest>>;
  /** Save a connection; with `test`, only if it works. */
  saveConnection(input: ConnectionInput, options?: {readonly test?: boolean}): Promise<Result<null>>;
  /** Where a file is that the person chose; null where a page is not told. */
  readonly pathOf: ((file: File) => string) | null;
  deleteConnection(): Promise<Result<null>>;
}
