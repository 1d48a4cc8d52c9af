/**
 * Taking what is on this computer along into the team's database: read before the connection is saved, written as soon
 * as the team's database is ready. It goes on while other pages are open.
 */
import {useSyncExternalStore} from 'react';
import {isTransient, taken} from '../../client/failure.js';
import type {Platform, components} from '../../client/platform.js';
import type {SituationStore} from '../../data/situation.js';

type Imported = components['schemas']['Imported'];

export type Copying =
  | {readonly step: 'idle' | 'reading' | 'waiting'}
  | {readonly step: 'writing'; readonly done: number; readonly of: number}
  | {readonly step: 'done'; readonly imported: Imported}
  | {readonly step: 'failed'; readonly error: unknown};

const RETRY_MS = 1_000;

export class CopyOver {
  #copying: Copying = {step: 'idle'};
  /** The work in JSON lines, until it has arrived. */
  #lines: string | null = null;
  readonly #platform: Platform;
  readonly #situation: SituationStore;
  readonly #listeners = new Set<() => void>();

  constructor(platform: Platform, situation: SituationStore) {
    this.#platform = platform;
    this.#situation = situation;
  }

  readonly get = (): Copying => this.#copying;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get canBeRepeated(): boolean {
    return this.#lines !== null;
  }

  /** Read all that the present database has. */
  async read(): Promise<void> {
    this.#tell({step: 'reading'});
    try {
      this.#lines = await taken<string>(this.#platform.client.GET('/api/v1/export', {parseAs: 'text'}));
    } catch (error) {
      this.#tell({step: 'failed', error});
      throw error;
    }
  }

  /** Nothing is to be copied after all. */
  forget(): void {
    this.#lines = null;
    this.#tell({step: 'idle'});
  }

  /** Write what was read as soon as a team's database is ready. What is there already stays as it is. */
  async write(): Promise<void> {
    const lines = this.#lines;
    if (lines === null) return;
    this.#tell({step: 'waiting'});
    await this.#untilTeam();
    this.#tell({step: 'writing', done: 0, of: 0});
    const stop = this.#platform.onChange((change) => {
      const {resource, done, of} = change as typeof change & {readonly done?: number; readonly of?: number};
      if (resource === 'import' && done !== undefined && of !== undefined) this.#tell({step: 'writing', done, of});
    });
    try {
      const imported = await this.#send(lines);
      this.#lines = null;
      this.#tell({step: 'done', imported});
    } catch (error) {
      this.#tell({step: 'failed', error});
    } finally {
      stop();
    }
  }

  /** Sent again while the database is away: what has arrived already is left out by its id. */
  async #send(lines: string): Promise<Imported> {
    for (;;) {
      try {
        return await taken(
          this.#platform.client.POST('/api/v1/import', {
            params: {query: {merge: 'skip'}},
            ...({body: lines, bodySerializer: (text: string) => text} as object), // lines, which the types do not know
            headers: {'content-type': 'application/x-ndjson'},
          }),
        );
      } catch (error) {
        if (!isTransient(error)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #untilTeam(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        const {isReady, snapshot} = this.#situation.get();
        if (!isReady || snapshot?.status?.database?.dialect !== 'postgresql') return;
        stop();
        resolve();
      };
      const stop = this.#situation.subscribe(look);
      look();
    });
  }

  #tell(copying: Copying): void {
    this.#copying = copying;
    this.#listeners.forEach((listener) => listener());
  }
}

const copies = new WeakMap<SituationStore, CopyOver>();

/** The one of this application, which outlives the page. */
export function copyOverOf(platform: Platform, situation: SituationStore): CopyOver {
  const found = copies.get(situation) ?? new CopyOver(platform, situation);
  copies.set(situation, found);
  return found;
}

export function useCopying(copy: CopyOver): Copying {
  return useSyncExternalStore(copy.subscribe, copy.get);
}
