/** Tasks below each other: what is blocked first, then everything else in the order that was asked for. */
import {useCallback, useMemo, useState, type KeyboardEvent, type ReactNode} from 'react';
import {Loaded} from '../../data/Loaded.js';
import {useHeld} from '../../data/held.js';
import {NO_FILTERS, STATUSES, isFiltered, type Status, type Task, type TaskFilters} from '../../data/work/filters.js';
import {useTaskList, type TaskList as Pages} from '../../data/work/tasks.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Empty} from '../../kit/index.js';
import {StatusDialog} from './StatusDialog.js';
import {TaskRow} from './TaskRow.js';
import {VirtualList, type Row} from './VirtualList.js';

const LINE_PX = 40;
const BLOCKED_PX = 64;
const HEADING_PX = 33;
const NONE: readonly Task[] = [];
const STATES = ['paused', 'fetching'] as const;

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
  const lists = [...(hasBlocked ? [blocked] : []), ...(others.length > 0 ? [rest] : [])];
  const [moving, setMoving] = useState<Task | null>(null);
  const shown = useTogether(
    filters,
    hasBlocked ? blocked.tasks : NONE,
    others.length > 0 ? rest.tasks : NONE,
    lists.map(({query}) => query),
    lists.every(({isBefore}) => !isBefore),
  );
  const query = {
    data: shown,
    error: blocked.query.error ?? rest.query.error,
    fetchStatus: STATES.find((state) => lists.some((list) => list.query.fetchStatus === state)) ?? ('idle' as const),
    refetch: () => Promise.all(lists.map((list) => list.query.refetch())),
  };
  const onKey = useCallback(
    (event: KeyboardEvent, id: string) => {
      if (event.key.toLowerCase() !== 's' || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      setMoving(shown?.tasks.find((task) => task.id === id) ?? null);
    },
    [shown],
  );
  return (
    <Loaded
      query={query}
      isEmpty={({tasks}) => tasks.length === 0}
      empty={<NoTasks filters={shown?.filters ?? filters} onClear={onClear} onAdd={onAdd} />}
    >
      {({name, rows, onEnd, isReading}) => (
        <>
          <VirtualList
            key={name}
            name={name}
            label={t('nav.tasks')}
            rows={rows}
            onEnd={onEnd}
            isReading={isReading}
            wantsFocus={wantsFocus}
            onKey={onKey}
          />
          <StatusDialog task={moving} onClose={() => setMoving(null)} />
        </>
      )}
    </Loaded>
  );
}

interface Together {
  readonly filters: TaskFilters;
  /** That of the filters. */
  readonly name: string;
  readonly tasks: readonly Task[];
  readonly rows: readonly Row[];
  readonly onEnd: () => void;
  readonly isReading: boolean;
}

/** Two lists as one: the second begins where the first has ended. Neither is shown under other filters without the other. */
function useTogether(
  filters: TaskFilters,
  stuck: readonly Task[] | undefined,
  flowing: readonly Task[] | undefined,
  queries: readonly Pages['query'][],
  isThere: boolean,
): Together | undefined {
  const {t} = useTexts();
  const next = queries.find(({hasNextPage}) => hasNextPage);
  const fetchNext = next?.isFetching === false ? next.fetchNextPage : null;
  const isReading = queries.some(({isFetchingNextPage}) => isFetchingNextPage);
  const name = `list ${JSON.stringify(filters)}`;
  const isWhole = queries.length < 2 || queries[0]?.hasNextPage !== true;
  const tasks = useMemo(
    () => (stuck === undefined || flowing === undefined ? undefined : [...stuck, ...(isWhole ? flowing : NONE)]),
    [stuck, flowing, isWhole],
  );
  const rows = useMemo(() => rowsOf(tasks ?? NONE, t('tasks.blockedFirst'), t('tasks.others')), [tasks, t]);
  const onEnd = useCallback(() => {
    void fetchNext?.({cancelRefetch: false});
  }, [fetchNext]);
  const together = useMemo(
    () => (tasks === undefined ? undefined : {filters, name, tasks, rows, onEnd, isReading}),
    [filters, name, tasks, rows, onEnd, isReading],
  );
  return useHeld(together, isThere);
}

function rowsOf(tasks: readonly Task[], blockedFirst: string, others: string): readonly Row[] {
  const rows: Row[] = tasks.map((task) => ({
    id: task.id,
    height: task.status === 'Blocked' ? BLOCKED_PX : LINE_PX,
    isFixed: task.status !== 'Blocked',
    content: (isActive) => <TaskRow task={task} isActive={isActive} />,
  }));
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
  const firstOther = tasks.findIndex(({status}) => status !== 'Blocked');
  if (firstOther === 0 || tasks.length === 0) return rows;
  const stuck = firstOther < 0 ? rows : rows.slice(0, firstOther);
  const flowing = rows.slice(stuck.length);
  return [
    heading('blocked', blockedFirst),
    ...stuck,
    ...(flowing.length > 0 ? [heading('others', others), ...flowing] : []),
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
