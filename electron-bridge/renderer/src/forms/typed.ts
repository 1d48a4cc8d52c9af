/**
 * What is typed in a small dialog, kept like a form's draft until it has been saved: a closed dialog, another page, a
 * reload lose nothing. Secrets are no part of it; they stay in the dialog and nowhere else.
 */
import {useCallback, useState} from 'react';
import {changesOf} from './save.js';
import {Stored} from './stored.js';

const PREFIX = 'taskflow.typed.';

export interface Typed<T> {
  readonly values: T;
  readonly change: (changes: Partial<T>) => void;
  /** Whether the dialog opened with what was typed earlier. */
  readonly wasRestored: boolean;
  /** It has been saved: nothing waits any more. */
  readonly release: () => void;
  /** Forget what was typed, and start again. */
  readonly discard: () => void;
}

/**
 * The fields of one dialog.
 *
 * @param id unique among all dialogs; one that edits something has that thing's id in it.
 * @param initial what it starts with. Only what differs from it is kept, so that a colleague's change still shows.
 * @param plain takes away what must not be stored.
 */
export function useTyped<T extends object>(
  id: string,
  initial: T,
  plain: (typed: Partial<T>) => Partial<T> = (typed) => typed,
): Typed<T> {
  const [stored] = useState(() => new Stored(PREFIX + id));
  const [start] = useState(initial);
  const [kept] = useState(() => typedEarlier(stored.text, initial));
  const [wasRestored, setRestored] = useState(Object.keys(kept).length > 0);
  const [values, setValues] = useState<T>({...initial, ...kept});
  const release = useCallback(() => {
    stored.forget();
    setRestored(false);
  }, [stored]);
  return {
    values,
    wasRestored,
    release,
    change(changes) {
      const now = {...values, ...changes};
      setValues(now);
      const typed = plain(changesOf(start, now));
      if (Object.keys(typed).length === 0) stored.forget();
      else stored.keep(typed);
    },
    discard() {
      release();
      setValues(start);
    },
  };
}

/** What is in the storage, as far as it is what the dialog has fields for. */
export function typedEarlier<T extends object>(text: string | null, initial: T): Partial<T> {
  try {
    const found: unknown = JSON.parse(text ?? 'null');
    if (typeof found !== 'object' || found === null) return {};
    const known = new Map<string, unknown>(Object.entries(initial));
    const fitting = Object.entries(found).filter(([field, value]) => isAlike(known.get(field), value));
    return Object.fromEntries(fitting) as Partial<T>;
  } catch {
    return {};
  }
}

function isAlike(one: unknown, other: unknown): boolean {
  return typeof one === typeof other && Array.isArray(one) === Array.isArray(other);
}

/** The fields but one, which is a secret. */
export function without<T extends object, Field extends keyof T>(field: Field, typed: T): Omit<T, Field> {
  return Object.fromEntries(Object.entries(typed).filter(([name]) => name !== field)) as Omit<T, Field>;
}
