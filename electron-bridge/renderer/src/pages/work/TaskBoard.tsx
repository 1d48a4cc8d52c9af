/** Tasks in columns by their status. Cards move by hand, or by the key that asks for a status. */
import {useCallback, useMemo, useRef, useState, type KeyboardEvent, type ReactNode} from 'react';
import {Loaded} from '../../data/Loaded.js';
import {useHeld} from '../../data/held.js';
import {STATUSES, type Status, type Task, type TaskFilters} from '../../data/work/filters.js';
import {fieldsOf, useTaskCounts, useTaskList, useTaskStore} from '../../data/work/tasks.js';
import {ConflictDialog} from '../../forms/ConflictDialog.js';
import {SendingNotice} from '../../forms/Form.js';
import {useSave} from '../../forms/save.js';
import {useTexts} from '../../i18n/index.js';
import {StatusDialog} from './StatusDialog.js';
import {wordsOf} from './TaskForm.js';
import {TaskCard} from './TaskRow.js';
import {StatusMark} from './parts.js';
import {VirtualList, type Row} from './VirtualList.js';

const CARD_PX = 104;
const BLOCKED_CARD_PX = 150;

export function TaskBoard({
  filters,
  wantsFocus,
}: {
  readonly filters: TaskFilters;
  readonly wantsFocus: string | null;
}): ReactNode {
  const columns = filters.status.length > 0 ? filters.status : STATUSES;
  const board = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState<Task | null>(null);
  const [asked, setAsked] = useState<{task: Task; proposed?: Status} | null>(null);
  const [moved, setMoved] = useState<{task: Task; to: Status; id: number} | null>(null);
  const onDrag = useCallback((task: Task | null) => setDragged(task), []);

  const drop = (to: Status): void => {
    const task = dragged;
    setDragged(null);
    if (task === null || task.status === to) return;
    // What is blocked has to say why.
    if (to === 'Blocked') setAsked({task, proposed: to});
    else setMoved({task, to, id: (moved?.id ?? 0) + 1});
  };
  const beside = (event: KeyboardEvent): void => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const lists = [...(board.current?.querySelectorAll<HTMLElement>('.board-column') ?? [])];
    const here = lists.findIndex((list) => list.contains(event.target as Node));
    for (let index = here + step; index >= 0 && index < lists.length; index += step) {
      const card = lists[index]?.querySelector<HTMLElement>('a[tabindex="0"]');
      if (card == null) continue;
      event.preventDefault();
      card.focus();
      return;
    }
  };
  return (
    <>
      {moved !== null && <Move key={moved.id} task={moved.task} to={moved.to} onDone={() => setMoved(null)} />}
      <div ref={board} className="board" data-columns={columns.length}>
        {columns.map((status) => (
          <Column
            key={status}
            status={status}
            filters={filters}
            wantsFocus={wantsFocus}
            isTarget={dragged !== null && dragged.status !== status}
            onDrag={onDrag}
            onDrop={() => drop(status)}
            onKey={(event, task) => {
              if (event.key.toLowerCase() === 's' && !event.ctrlKey && !event.metaKey && !event.altKey) {
                event.preventDefault();
                setAsked({task});
              } else beside(event);
            }}
          />
        ))}
      </div>
      <StatusDialog task={asked?.task ?? null} proposed={asked?.proposed} onClose={() => setAsked(null)} />
    </>
  );
}

interface ColumnProps {
  readonly status: Status;
  readonly filters: TaskFilters;
  readonly wantsFocus: string | null;
  readonly isTarget: boolean;
  readonly onDrag: (task: Task | null) => void;
  readonly onDrop: () => void;
  readonly onKey: (event: KeyboardEvent, task: Task) => void;
}

function Column({status, filters, wantsFocus, isTarget, onDrag, onDrop, onKey}: ColumnProps): ReactNode {
  const {t, locale} = useTexts();
  const own = useMemo(() => ({...filters, status: [status]}), [filters, status]);
  const {query, tasks, isBefore} = useTaskList(own);
  const count = useTaskCounts({...filters, status: []}).data?.status[status];
  const [isOver, setOver] = useState(false);
  const rows = useMemo<readonly Row[]>(
    () =>
      (tasks ?? []).map((task) => ({
        id: task.id,
        height: status === 'Blocked' ? BLOCKED_CARD_PX : CARD_PX,
        content: (isActive) => <TaskCard task={task} isActive={isActive} onDrag={onDrag} />,
      })),
    [tasks, status, onDrag],
  );
  const {hasNextPage, isFetching, isFetchingNextPage: isReading, fetchNextPage} = query;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage({cancelRefetch: false});
  }, [hasNextPage, isFetching, fetchNextPage]);
  const place = `board ${JSON.stringify(own)}`;
  const read = useMemo(
    () => (tasks === undefined ? undefined : {tasks, rows, place, onEnd, isReading}),
    [tasks, rows, place, onEnd, isReading],
  );
  const shown = useHeld(read, !isBefore);
  const name = t(`status.${status}`);
  return (
    <section
      className="board-column"
      data-status={status}
      data-target={isTarget || undefined}
      data-over={(isOver && isTarget) || undefined}
      aria-label={name}
      onDragOver={(event) => {
        if (!isTarget) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onDrop();
      }}
    >
      <h2 className="board-head">
        <StatusMark status={status} isSilent />
        {name}
        <span className="count tabular">{count === undefined ? '' : new Intl.NumberFormat(locale).format(count)}</span>
      </h2>
      <Loaded
        query={{...query, data: shown}}
        isEmpty={(data) => data.tasks.length === 0}
        empty={<p className="board-none">{t('board.none')}</p>}
      >
        {(data) => (
          <VirtualList
            key={data.place}
            name={data.place}
            label={name}
            rows={data.rows}
            wantsFocus={wantsFocus}
            onEnd={data.onEnd}
            isReading={data.isReading}
            onKey={(event, id) => {
              const task = data.tasks.find((each) => each.id === id);
              if (task !== undefined) onKey(event, task);
            }}
          />
        )}
      </Loaded>
    </section>
  );
}

/** One move on its way; where it does not arrive, it says so. */
function Move({task, to, onDone}: {task: Task; to: Status; onDone: () => void}): ReactNode {
  const texts = useTexts();
  const save = useSave(useTaskStore(task.id), onDone);
  const begun = useRef(false);
  const begin = useCallback(
    (element: HTMLElement | null) => {
      if (element === null || begun.current) return;
      begun.current = true;
      save.save({value: fieldsOf(task), version: null}, {status: to});
    },
    [save, task, to],
  );
  return (
    <div ref={begin} className="board-notice">
      <SendingNotice sending={save} />
      <ConflictDialog save={save} words={(field, value) => wordsOf(field, value, texts)} />
    </div>
  );
}
