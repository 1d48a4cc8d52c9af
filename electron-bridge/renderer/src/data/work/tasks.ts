/** Tasks as the sidecar has them: lists in pages, counts, one with everything. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from '@tanstack/react-query';
import {useEffect, useMemo} from 'react';
import {Refused, taken, takenPage, takenWithVersion, type Page} from '../../client/failure.js';
import type {Platform, components} from '../../client/platform.js';
import type {Store, Versioned} from '../../forms/save.js';
import {LIVE} from '../live.js';
import {usePlatform, useSituation} from '../situation.js';
import type {Task, TaskFilters} from './filters.js';

export type TaskCounts = components['schemas']['TaskCounts'];

/** The first page is soon there, the following ones are seldom asked for. */
const FIRST_LIMIT = 50;
const LIMIT = 200;
/** No team has two thousand tasks at work; whoever has them anyway sees the first ones. */
const MOST_PAGES = 11;

type Filters = Partial<TaskFilters>;

function queryOf({status = [], priority = [], assignee = [], search = '', sort}: Filters): {
  status?: Task['status'][];
  priority?: Task['priority'][];
  assignee?: string[];
  search?: string;
  sort?: TaskFilters['sort'];
} {
  return {
    ...(status.length > 0 && {status: [...status]}),
    ...(priority.length > 0 && {priority: [...priority]}),
    ...(assignee.length > 0 && {assignee: [...assignee]}),
    ...(search.trim() !== '' && {search: search.trim()}),
    ...(sort !== undefined && {sort}),
  };
}

export type TaskPages = InfiniteData<Page<Task>>;

export interface TaskList {
  readonly query: UseInfiniteQueryResult<TaskPages>;
  /** Undefined until the list has been read; then as many as have been asked for. */
  readonly tasks: readonly Task[] | undefined;
  /** Whether they are those of the filters that were there before: what was asked for is still awaited. */
  readonly isBefore: boolean;
}

/**
 * The tasks that pass the filters, page after page.
 *
 * @param isWanted whether they are to be read at all.
 * @param isWhole whether the next page is read without being asked for: all are needed, not what is looked at alone.
 */
export function useTaskList(
  filters: TaskFilters,
  {isWanted = true, isWhole = false}: {isWanted?: boolean; isWhole?: boolean} = {},
): TaskList {
  const {client} = usePlatform();
  const {isReady} = useSituation();
  const query = useInfiniteQuery({
    ...LIVE,
    queryKey: ['tasks', filters],
    queryFn: ({pageParam, signal}: {pageParam: string | null; signal: AbortSignal}) => {
      const place = pageParam === null ? {limit: FIRST_LIMIT} : {limit: LIMIT, cursor: pageParam};
      return takenPage(client.GET('/api/v1/tasks', {params: {query: {...queryOf(filters), ...place}}, signal}));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    enabled: isWanted,
  });
  const {data, isPlaceholderData, fetchNextPage} = query;
  const isMoreWanted =
    isWhole && query.hasNextPage && !query.isFetching && !query.isError && (data?.pages.length ?? 0) < MOST_PAGES;
  useEffect(() => {
    if (isMoreWanted) void fetchNextPage();
  }, [isMoreWanted, fetchNextPage]);
  // Under other filters what was there before would be a lie, unless it is about to be replaced.
  const shown = isPlaceholderData && !isReady ? undefined : data;
  const tasks = useMemo(() => shown?.pages.flatMap(({items}) => items), [shown]);
  return {query, tasks, isBefore: isPlaceholderData};
}

/** How many tasks pass the filters, by status and by priority. */
export function useTaskCounts(filters: Filters): UseQueryResult<TaskCounts> {
  const {client} = usePlatform();
  const wanted = queryOf({...filters, sort: undefined});
  return useQuery({
    ...LIVE,
    queryKey: ['counts', wanted],
    queryFn: ({signal}) => taken(client.GET('/api/v1/tasks/counts', {params: {query: wanted}, signal})),
    placeholderData: keepPreviousData,
  });
}

/** The tasks that have a GEAR ID; two are enough to know that there are several. */
export function tasksWithGear(client: Platform['client'], gearId: string): Promise<readonly Task[]> {
  return taken(client.GET('/api/v1/tasks', {params: {query: {gear_id: gearId, limit: 2}}}));
}

/** One task with its daily updates, and its version. */
export function useTask(id: string): UseQueryResult<Versioned<Task>> {
  const {client} = usePlatform();
  return useQuery({...LIVE, queryKey: ['task', id], queryFn: () => readTask(client, id)});
}

export function readTask(client: Platform['client'], id: string): Promise<Versioned<Task>> {
  return takenWithVersion(client.GET('/api/v1/tasks/{id}', {params: {path: {id}}}));
}

/** What a person may change of a task itself. */
export type TaskFields = Pick<
  Task,
  'title' | 'description' | 'status' | 'priority' | 'assignee_id' | 'gear_id' | 'blocking_reason'
>;

export function fieldsOf(task: Task): TaskFields {
  const {title, description, status, priority, assignee_id, gear_id, blocking_reason} = task;
  return {title, description, status, priority, assignee_id, gear_id, blocking_reason};
}

/** What a save without a version comes to: what is there now is read and compared before anything is overwritten. */
export function unread(): Refused {
  return new Refused(412, 'precondition-failed', '');
}

/** Where changes of one task go. Without a version, as in lists, the present one is read and compared first. */
export function useTaskStore(id: string): Store<TaskFields> {
  const {client} = usePlatform();
  const cache = useQueryClient();
  return useMemo(() => {
    const known = (now: Versioned<Task>): Versioned<TaskFields> => {
      cache.setQueryData(['task', id], now);
      return {value: fieldsOf(now.value), version: now.version};
    };
    return {
      async patch(changes, version) {
        if (version === null) throw unread();
        const params = {path: {id}, header: {'If-Match': version}};
        return known(await takenWithVersion(client.PATCH('/api/v1/tasks/{id}', {params, body: changes})));
      },
      read: async () => known(await readTask(client, id)),
    };
  }, [client, cache, id]);
}
