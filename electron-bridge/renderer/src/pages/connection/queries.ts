/** What the page of the connection reads; the settings also while there is no database. */
import {useQuery, type UseQueryResult} from '@tanstack/react-query';
import {asError, taken} from '../../client/failure.js';
import type {SavedConnection} from '../../client/platform.js';
import {usePlatform, useSituation} from '../../data/situation.js';

export const SAVED = ['connection'] as const;

export function useSaved(): UseQueryResult<SavedConnection | null> {
  const platform = usePlatform();
  return useQuery({
    queryKey: SAVED,
    meta: {isOfThisComputer: true},
    networkMode: 'always',
    staleTime: 0,
    retry: 2,
    async queryFn() {
      const result = await platform.readConnection();
      if (!result.ok) throw asError(result.error);
      return result.value;
    },
  });
}

export interface LocalWork {
  readonly tasks: number;
  readonly members: number;
}

/** How much is in the database of this computer, while that is the one in use and somebody wants to know. */
export function useLocalWork(isWanted = true): LocalWork | null {
  const {client} = usePlatform();
  const {isReady, snapshot} = useSituation();
  const isLocal = snapshot?.status?.database?.dialect === 'sqlite';
  const {data} = useQuery({
    queryKey: ['counts', 'local'],
    enabled: isWanted && isReady && isLocal,
    async queryFn(): Promise<LocalWork> {
      const [counts, members] = await Promise.all([
        taken(client.GET('/api/v1/tasks/counts')),
        taken(client.GET('/api/v1/members')),
      ]);
      return {tasks: counts.total, members: members.length};
    },
  });
  return isLocal ? (data ?? null) : null;
}
