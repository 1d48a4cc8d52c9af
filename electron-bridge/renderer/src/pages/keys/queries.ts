/** Reading and writing around keys: what is read is masked, and what is written is forgotten at once. */
import {
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from '@tanstack/react-query';
import {useState} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';

type Schemas = components['schemas'];
export type KeyInfo = Schemas['KeyInfo'];
export type ProviderName = Schemas['ProviderInfo']['name'];
export type ProviderInfo = Schemas['ProviderInfo'];
export type KeyTestResult = Schemas['KeyTestResult'];
export const PROVIDERS = ['openai', 'anthropic', 'google', 'deepseek'] as const satisfies readonly ProviderName[];

/** Verdicts and uses of other desktops are no events: read again after a while. */
const STALE_MS = 5_000;
const AGAIN_MS = 60_000;

/** One reading under its name. */
export function useRead<T>(key: readonly unknown[], read: () => Promise<T>): UseQueryResult<T> {
  return useQuery({queryKey: key, queryFn: read, staleTime: STALE_MS, refetchInterval: AGAIN_MS});
}

export function useProviders(): UseQueryResult<readonly ProviderInfo[]> {
  const {client} = usePlatform();
  return useRead(['providers'], async () => (await taken(client.GET('/api/v1/providers'))).items);
}

/**
 * A change of keys; what hangs on them is read anew.
 *
 * @param onDone called also if what changed them is not shown any more by then.
 * @param typed where it was typed; forgotten once it is done.
 */
export function useAct<Input, Output = unknown>(
  act: (input: Input) => Promise<Output>,
  reads: readonly string[],
  onDone?: (output: Output) => void,
  typed?: {readonly release: () => void},
): UseMutationResult<Output, Error, Input> {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: act,
    // Now or never: a secret does not wait in memory for a database to come back.
    networkMode: 'always',
    async onSuccess(output) {
      typed?.release();
      await Promise.all([...reads, 'audit', 'vault'].map((name) => cache.invalidateQueries({queryKey: [name]})));
      onDone?.(output);
    },
    // It may have been carried out and only the answer lost: what is there is shown before it is sent again.
    onError: () => Promise.all(reads.map((name) => cache.invalidateQueries({queryKey: [name]}))),
  });
}

/**
 * Add something that the sidecar takes twice if it is sent twice. Before a second attempt it is looked whether the first
 * one arrived and only its answer was lost.
 *
 * @param isIt whether something in the list is what was to be added; what was there before the first attempt is not.
 */
export function useAddOnce<T extends {readonly id: string}>(
  list: () => Promise<readonly T[]>,
): (isIt: (one: T) => boolean, add: () => Promise<unknown>) => Promise<unknown> {
  const [attempt] = useState(() => ({before: null as ReadonlySet<string> | null}));
  return async (isIt, add) => {
    const there = await list();
    const {before} = attempt;
    attempt.before ??= new Set(there.map(({id}) => id));
    const arrived = before === null ? undefined : there.find((one) => !before.has(one.id) && isIt(one));
    return arrived ?? add();
  };
}

/** The end of a day as the sidecar takes it; undefined where there is none. */
export function endOf(day: string): string | undefined {
  return day === '' ? undefined : new Date(`${day}T23:59:59`).toISOString();
}
