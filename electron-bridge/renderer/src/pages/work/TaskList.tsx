/** Tasks below each other: what is blocked first, then everything else in the order that was asked for. */
import {useCallback, useMemo, useState, type ReactNode} from 'react';
import {Loaded} from '../../data/Loaded.js';
import {NO_FILTERS, STATUSES, isFiltered, type Status, type Task, type TaskFilters} from '../../data/work/filters.js';
import {useTaskList, type TaskList as Pages} from '../../data/work/tasks.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Empty, Spinner} from '../../kit/index.js';
import {StatusDialog} from './StatusDialog.js';
import {TaskRow} from './TaskRow.js';
import {VirtualList, type Row} from './VirtualList.js';

const LINE_PX = 40;
const BLOCKED_PX = 64;
const HEADING_PX = 33;

export interface TaskListProps {
  readonly filters: TaskFilters;
  readonly onClear: (filters: TaskFilters) => void;
  readonly onAdd: () => void;
  readonly wantsFocus: string | null;
}

export function TaskList({filters, onClear, onAdd, wantsFocus}: TaskListProps): ReactNode {
  const {t} = useTexts();
  const wanted: readonly Status[] = filters.status.length > 0 ? filters.status : STATUSES;
  const others = wanted.filter((status) => status !== 'Blocked');
  const hasBlocked = wanted.includes('Blocked');
  const blocked = useTaskList({...filters, status: ['Blocked']}, {isWanted: hasBlocked});
  const rest = useTaskList({...filters, status: others}, {isWanted: others.length > 0});
  const [moving, setMoving] = useState<Task | null>(null);
  const shown = useMemo(
    () => together(hasBlocked ? blocked : null, others.length > 0 ? rest : null),
    [hasBlocked, blocked, others.length, rest],
  );
  const data = shown.tasks;
  const query = {
    data,
    error: blocked.query.error ?? rest.query.error,
    fetchStatus: shown.isPaused ? ('paused' as const) : shown.isFetching ? ('fetching' as const) : ('idle' as const),
    refetch: () => Promise.all([blocked.query.refetch(), rest.query.refetch()]),
  };
  const onEnd = useCallback(() => shown.more?.(), [shown]);
  const rows = useMemo(
    () => (data === undefined ? [] : rowsOf(data.stuck, data.flowing, t('tasks.blockedFirst'), t('tasks.others'))),
    [data, t],
  );
  return (
    <Loaded
      query={query}
      isEmpty={({stuck, flowing}) => stuck.length + flowing.length === 0}
      empty={<NoTasks filters={filters} onClear={onClear} onAdd={onAdd} />}
    >
      {({stuck, flowing}) => (
        <>
          <VirtualList
            key={JSON.stringify(filters)}
            name={`list ${JSON.stringify(filters)}`}
            label={t('nav.tasks')}
            rows={rows}
            onEnd={onEnd}
            wantsFocus={wantsFocus}
            foot={shown.isFetchingMore && <Spinner />}
            onKey={(event, id) => {
              if (event.key.toLowerCase() !== 's' || event.ctrlKey || event.metaKey || event.altKey) return;
              event.preventDefault();
              setMoving([...stuck, ...flowing].find((task) => task.id === id) ?? null);
            }}
          />
          <StatusDialog task={moving} onClose={() => setMoving(null)} />
        </>
      )}
    </Loaded>
  );
}

interface Together {
  readonly tasks: {readonly stuck: readonly Task[]; readonly flowing: readonly Task[]} | undefined;
  readonly isPaused: boolean;
  readonly isFetching: boolean;
  readonly isFetchingMore: boolean;
  readonly more: (() => void) | null;
}

/** Two lists as one: the second begins where the first has ended. */
function together(stuck: Pages | null, flowing: Pages | null): Together {
  const lists = [stuck, flowing].filter((list) => list !== null);
  const isThere = lists.every(({tasks}) => tasks !== undefined);
  const isWhole = stuck?.query.hasNextPage !== true;
  const next = lists.find(({query}) => query.hasNextPage);
  return {
    tasks: isThere ? {stuck: stuck?.tasks ?? [], flowing: isWhole ? (flowing?.tasks ?? []) : []} : undefined,
    isPaused: lists.some(({query}) => query.fetchStatus === 'paused'),
    isFetching: lists.some(({query}) => query.fetchStatus === 'fetching'),
    isFetchingMore: lists.some(({query}) => query.isFetchingNextPage),
    more:
      next === undefined || next.query.isFetching
        ? null
        : () => {
            void next.query.fetchNextPage({cancelRefetch: false});
          },
  };
}

function rowsOf(
  stuck: readonly Task[],
  flowing: readonly Task[],
  blockedFirst: string,
  others: string,
): readonly Row[] {
  const row = (task: Task): Row => ({
    id: task.id,
    height: task.status === 'Blocked' ? BLOCKED_PX : LINE_PX,
    isFixed: task.status !== 'Blocked',
    content: (isActive) => <TaskRow task={task} isActive={isActive} />,
  });
  const heading = (id: string, text: string): Row => ({
    id,
    height: HEADING_PX,
    isHeading: true,
    content: () => (
      <h2 className="rows-heading" data-kind={id}>
        {text}
      </h2>
    ),
  });
  if (stuck.length === 0) return flowing.map(row);
  return [
    heading('blocked', blockedFirst),
    ...stuck.map(row),
    ...(flowing.length > 0 ? [heading('others', others)] : []),
    ...flowing.map(row),
  ];
}

export function NoTasks({filters, onClear, onAdd}: Omit<TaskListProps, 'wantsFocus'>): ReactNode {
  const {t} = useTexts();
  if (isFiltered(filters))
    return (
      <Empty
        icon="search"
        title={t('tasks.noMatch')}
        action={<Button onPress={() => onClear({...NO_FILTERS, sort: filters.sort})}>{t('tasks.clear')}</Button>}
      >
        {t('tasks.noMatch.text')}
      </Empty>
    );
  return (
    <Empty
      icon="tasks"
      title={t('tasks.none')}
      action={
        <Button look="primary" icon="plus" onPress={onAdd}>
          {t('task.new')}
        </Button>
      }
    >
      {t('tasks.none.text')}
    </Empty>
  );
}
