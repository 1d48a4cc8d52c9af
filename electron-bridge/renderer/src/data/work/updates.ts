/** Daily updates across tasks, and the 24 hours in which they can be changed. */
import {keepPreviousData, useInfiniteQuery, type UseInfiniteQueryResult} from '@tanstack/react-query';
import {takenPage, type Page} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {useNow} from '../clock.js';
import {LIVE} from '../live.js';
import {usePlatform, useSituation} from '../situation.js';
import type {InfiniteData} from '@tanstack/react-query';

export type ToldUpdate = components['schemas']['ToldUpdate'];

const LIMIT = 200;
const EDITABLE_MS = 24 * 3_600_000;

/** What was written since then, newest first. */
export function useUpdatesSince(since: string): UseInfiniteQueryResult<InfiniteData<Page<ToldUpdate>, string | null>> {
  const {client} = usePlatform();
  return useInfiniteQuery({
    ...LIVE,
    queryKey: ['updates', since],
    queryFn: ({pageParam, signal}: {pageParam: string | null; signal: AbortSignal}) => {
      const place = pageParam === null ? {} : {cursor: pageParam};
      return takenPage(client.GET('/api/v1/updates', {params: {query: {since, limit: LIMIT, ...place}}, signal}));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });
}

/** How many seconds an update can still be changed, by the database's clock; 0 afterwards. */
export function useSecondsLeft(createdAt: string): number {
  const now = useNow(10_000);
  const database = useSituation().snapshot?.status?.database as {clock_offset_s?: number | null} | null | undefined;
  const theirs = now - (database?.clock_offset_s ?? 0) * 1_000;
  return Math.max(0, Math.round((Date.parse(createdAt) + EDITABLE_MS - theirs) / 1_000));
}
