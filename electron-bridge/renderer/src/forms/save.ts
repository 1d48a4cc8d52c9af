/** Saving changes so that nobody's change is lost unseen. */
import {useMutation} from '@tanstack/react-query';
import {useState} from 'react';
import {Refused, isTransient} from '../client/failure.js';
import {sendingState, type Sending} from './create.js';
import {useIsShown} from './shown.js';

export interface Versioned<T> {
  readonly value: T;
  /** `ETag`; null where the sidecar gives none. */
  readonly version: string | null;
}

export interface Store<T> {
  /** PATCH: only what changed, with `If-Match`. */
  readonly patch: (changes: Partial<T>, version: string | null) => Promise<Versioned<T>>;
  readonly read: () => Promise<Versioned<T>>;
}

/** Two people changed the same fields: what each wants. */
export interface Conflict<T> {
  readonly fields: readonly (keyof T)[];
  readonly mine: Partial<T>;
  readonly theirs: Versioned<T>;
}

export type Saved<T> =
  | {readonly kind: 'saved'; readonly now: Versioned<T>; readonly wasMerged: boolean}
  | {readonly kind: 'conflict'; readonly conflict: Conflict<T>};

/** The fields of `wanted` that differ from `base`. */
export function changesOf<T extends object>(base: T, wanted: Partial<T>): Partial<T> {
  const changed = (Object.keys(wanted) as (keyof T)[]).filter((field) => wanted[field] !== base[field]);
  return Object.fromEntries(changed.map((field) => [field, wanted[field]])) as Partial<T>;
}

const MOST_TRIES = 8;

/**
 * Save changes made on top of `base`.
 *
 * Where somebody saved in between: what they did not touch is saved on top of theirs, what both changed to the same is
 * done, and what both changed to different things is a conflict for a person.
 */
export async function saveChanges<T extends object>(
  store: Store<T>,
  base: Versioned<T>,
  changes: Partial<T>,
): Promise<Saved<T>> {
  let known = base;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const still = changesOf(known.value, changes);
    if (Object.keys(still).length === 0) return {kind: 'saved', now: known, wasMerged: known !== base};
    try {
      const now = await store.patch(still, known.version);
      return {kind: 'saved', now, wasMerged: known !== base};
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 412) throw error;
    }
    const theirs = await store.read();
    const both = Object.keys(changesOf(base.value, theirs.value)) as (keyof T)[];
    const fields = both.filter((field) => field in changes && theirs.value[field] !== changes[field]);
    if (fields.length > 0) return {kind: 'conflict', conflict: {fields, mine: changes, theirs}};
    known = theirs;
  }
  throw new Refused(412, 'precondition-failed', '');
}

export interface Save<T> extends Sending {
  readonly save: (base: Versioned<T>, changes: Partial<T>) => void;
  readonly conflict: Conflict<T> | null;
  /** Answer a conflict: what is to count, on top of what was saved meanwhile. */
  readonly resolve: (choice: Partial<T>) => void;
  /** Answer it later: what was typed stays where it was typed. */
  readonly putOff: () => void;
  readonly wasMerged: boolean;
}

/**
 * Save changes again and again while the sidecar or its database is away.
 *
 * @param onSaved called if what saves is still shown by then.
 * @param draft where the changes were typed; forgotten once they are saved.
 */
export function useSave<T extends object>(
  store: Store<T>,
  onSaved: (now: Versioned<T>, wasMerged: boolean) => void,
  draft?: {readonly reset: () => void},
): Save<T> {
  const isShown = useIsShown();
  const [conflict, setConflict] = useState<Conflict<T> | null>(null);
  const [wasMerged, setMerged] = useState(false);
  const mutation = useMutation({
    mutationFn: ({base, changes}: {base: Versioned<T>; changes: Partial<T>}) => saveChanges(store, base, changes),
    // Harmless to send twice: the second time the version is another, and what is there already is what was wanted.
    retry: (_count, error) => isTransient(error),
    onSuccess(result) {
      if (result.kind === 'conflict') {
        setConflict(result.conflict);
        return;
      }
      setConflict(null);
      setMerged(result.wasMerged);
      draft?.reset();
      if (isShown()) onSaved(result.now, result.wasMerged);
    },
  });
  return {
    state: sendingState(mutation),
    error: mutation.error,
    reason: mutation.failureReason,
    conflict,
    wasMerged,
    save(base, changes) {
      if (!mutation.isPending) mutation.mutate({base, changes});
    },
    resolve(choice) {
      if (conflict !== null) mutation.mutate({base: conflict.theirs, changes: choice});
    },
    putOff: () => setConflict(null),
  };
}
