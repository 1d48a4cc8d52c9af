/**
 * What was read is kept, shown and read anew: by TanStack Query, told by the sidecar's events.
 *
 * While the database is away the cache counts as off-line: nothing is asked, what is there stays, and what a person
 * wanted to send waits and is sent afterwards.
 */
import {QueryClient, QueryClientProvider, onlineManager, useQueryClient} from '@tanstack/react-query';
import {useEffect, useState, type ReactNode} from 'react';
import {isTransient} from '../client/failure.js';
import type {Change} from '../client/platform.js';
import {usePlatform, useSituationStore} from './situation.js';

/** Events that come together are one reading. */
const GATHER_MS = 120;
const LONGEST_PAUSE_MS = 5_000;

function newQueryClient(): QueryClient {
  const pauseMs = (attempt: number): number => Math.min(300 * 2 ** attempt, LONGEST_PAUSE_MS);
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (_count, error) => isTransient(error),
        retryDelay: pauseMs,
        refetchOnWindowFocus: false,
        staleTime: 60_000,
        gcTime: 10 * 60_000,
      },
      // Only what says itself that sending it twice is harmless is sent again.
      mutations: {retry: false, retryDelay: pauseMs, gcTime: 0},
    },
  });
}

export function Cache({children}: {children: ReactNode}): ReactNode {
  const [client] = useState(newQueryClient);
  return (
    <QueryClientProvider client={client}>
      <Availability />
      <LiveChanges />
      {children}
    </QueryClientProvider>
  );
}

/** Tell the cache whether the database can be used, and start afresh when another database is used. */
function Availability(): null {
  const store = useSituationStore();
  const client = useQueryClient();
  useEffect(() => {
    let database: string | null = null;
    const tell = (): void => {
      const {isReady, snapshot} = store.get();
      const used = snapshot?.status?.database ?? null;
      if (isReady && used !== null) {
        const name = JSON.stringify([used.dialect, used.host, used.port, used.database]);
        // Another team's work: nothing of the earlier one may be shown as if it were of this one.
        if (database !== null && database !== name)
          void client.resetQueries({predicate: ({meta}) => meta?.['isOfThisComputer'] !== true});
        database = name;
      }
      onlineManager.setOnline(isReady);
    };
    onlineManager.setEventListener(() => () => undefined);
    tell();
    return store.subscribe(tell);
  }, [store, client]);
  return null;
}

const LISTS_OF: Readonly<Record<string, readonly string[]>> = {
  member: ['members', 'tasks', 'counts', 'updates', 'task'],
  task: ['tasks', 'counts', 'members', 'updates'],
  daily_update: ['updates', 'members'],
  sub_task: [],
  vault_device: ['vault_device', 'vault'],
};

/** Read anew what a desktop of the team has changed. */
function LiveChanges(): null {
  const platform = usePlatform();
  const client = useQueryClient();
  useEffect(() => {
    let gathered: Change[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const readAnew = oneAfterTheOther((key) => client.invalidateQueries({queryKey: key}));
    const refresh = (): void => {
      timer = undefined;
      const changes = gathered;
      gathered = [];
      if (changes.some(({resource}) => resource === '*')) readAnew([]);
      else for (const key of keysOf(changes)) readAnew(key);
    };
    const stop = platform.onChange((change) => {
      gathered.push(change);
      timer ??= setTimeout(refresh, GATHER_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [platform, client]);
  return null;
}

/**
 * Read under one key one time after the other: a team that changes something every second would otherwise break off
 * each reading of a long list by the next, and what is shown would stay old for as long as they work.
 */
export function oneAfterTheOther(read: (key: readonly string[]) => Promise<void>): (key: readonly string[]) => void {
  const isWanted = new Map<string, boolean>();
  const run = async (key: readonly string[], name: string): Promise<void> => {
    isWanted.set(name, true);
    while (isWanted.get(name) === true) {
      isWanted.set(name, false);
      await read(key);
    }
    isWanted.delete(name);
  };
  return (key) => {
    const name = key.join('/');
    if (isWanted.has(name)) isWanted.set(name, true);
    else void run(key, name);
  };
}

function keysOf(changes: readonly Change[]): readonly (readonly string[])[] {
  const lists = new Set(changes.flatMap(({resource}) => LISTS_OF[resource] ?? [resource]));
  const tasks = new Set(changes.filter(({resource}) => resource === 'task').map(({id}) => id ?? ''));
  return [...[...lists].map((list) => [list]), ...[...tasks].map((id) => ['task', id])];
}
