/**
 * Forms whose contents outlive everything: a refusal, a lost database, a change of page, a reload.
 *
 * What is typed is kept in the session's storage until it has been saved. Secrets are the exception: they stay in the
 * form and nowhere else.
 */
import {useCallback, useEffect, useState} from 'react';
import {useForm, type DefaultValues, type FieldValues, type UseFormReturn} from 'react-hook-form';
import {Stored} from './stored.js';

const PREFIX = 'taskflow.draft.';

interface Kept<T> {
  readonly values: Partial<T>;
  /** Sent as Idempotency-Key, so that the same form sent twice adds one thing. */
  readonly key: string;
}

export interface Draft<T extends FieldValues> {
  readonly form: UseFormReturn<T>;
  /** Whether the form opened with what was typed earlier. */
  readonly wasRestored: boolean;
  readonly key: () => string;
  /** What was sent was refused for good: whatever is sent next is something new. */
  readonly renewKey: () => void;
  /** Forget what was typed and start with `values`. */
  readonly reset: (values?: T) => void;
}

/**
 * A form of its own name.
 *
 * @param id unique among all forms; one that edits something has that thing's id in it.
 * @param initial what the form starts with.
 * @param secrets fields that are never written to storage.
 */
export function useDraft<T extends FieldValues>(id: string, initial: T, secrets: readonly (keyof T)[] = []): Draft<T> {
  const [stored] = useState(() => new Stored(PREFIX + id));
  const [kept] = useState(() => keptIn(stored.text) as Kept<T> | null);
  const [wasRestored, setRestored] = useState(kept !== null);
  const [keyOf] = useState(() => ({value: kept?.key ?? crypto.randomUUID()}));
  const form = useForm<T>({defaultValues: {...initial, ...kept?.values} as DefaultValues<T>});
  const [isSecret] = useState(() => new Set<PropertyKey>(secrets));

  useEffect(() => {
    const subscription = form.watch((values) => keep(stored, values as T, keyOf.value, isSecret));
    return () => subscription.unsubscribe();
  }, [form, stored, keyOf, isSecret]);

  const renewKey = useCallback(() => {
    keyOf.value = crypto.randomUUID();
    if (stored.text !== null && stored.isLatest) keep(stored, form.getValues(), keyOf.value, isSecret);
  }, [form, keyOf, stored, isSecret]);

  const reset = useCallback(
    (values: T = initial) => {
      keyOf.value = crypto.randomUUID();
      setRestored(false);
      form.reset(values);
      // After the form's own watchers, which would write the fresh values.
      stored.forget();
    },
    [form, initial, keyOf, stored],
  );
  return {form, wasRestored, key: () => keyOf.value, renewKey, reset};
}

/** Whether something typed waits under that name. */
export function hasDraft(id: string): boolean {
  return sessionStorage.getItem(PREFIX + id) !== null;
}

function keptIn(text: string | null): Kept<unknown> | null {
  try {
    const found: unknown = JSON.parse(text ?? 'null');
    if (typeof found !== 'object' || found === null || !('values' in found) || !('key' in found)) return null;
    return found as Kept<unknown>;
  } catch {
    return null;
  }
}

function keep(stored: Stored, values: FieldValues, key: string, isSecret: ReadonlySet<PropertyKey>): void {
  const plain = Object.fromEntries(Object.entries(values).filter(([field]) => !isSecret.has(field)));
  stored.keep({values: plain, key} satisfies Kept<FieldValues>);
}
