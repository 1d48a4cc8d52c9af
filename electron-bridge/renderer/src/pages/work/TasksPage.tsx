/** The team's tasks, as a list and as a board. */
import {useCallback, useEffect, useMemo, useRef, useState, type ReactNode} from 'react';
import {restate, usePlace} from '../../app/router.js';
import {usePageKeys} from '../../app/shortcuts.js';
import {filtersOf, withFilters, type TaskFilters} from '../../data/work/filters.js';
import {useTaskCounts} from '../../data/work/tasks.js';
import {hasDraft} from '../../forms/draft.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Dialog, Segments} from '../../kit/index.js';
import {TaskBoard} from './TaskBoard.js';
import {TaskFilterBar} from './TaskFilterBar.js';
import {NEW_TASK, NewTask} from './TaskForm.js';
import {TaskList} from './TaskList.js';
import {rememberListQuery} from './lastList.js';

type View = 'list' | 'board';
const VIEW = 'taskflow.tasks.view';

export default function TasksPage(): ReactNode {
  const {t} = useTexts();
  const {path, query} = usePlace();
  const filters = useMemo(() => filtersOf(query), [query]);
  const view = viewOf(query);
  const counts = useTaskCounts({...filters, status: []}).data;
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  useEffect(() => {
    rememberListQuery(query);
  }, [query]);
  const searchRef = useRef<HTMLInputElement>(null);
  const listRef = useRef<HTMLDivElement>(null);
  usePageKeys({
    search: () => {
      searchRef.current?.focus();
      searchRef.current?.select();
    },
    add: () => setAdding(true),
  });
  const change = useCallback((wanted: TaskFilters) => restate(path, withFilters(query, wanted)), [path, query]);
  const show = (wanted: View): void => {
    localStorage.setItem(VIEW, wanted);
    const changed = new URLSearchParams(query);
    changed.set('view', wanted);
    restate(path, changed);
  };
  const statuses = filters.status.length > 0 ? filters.status : null;
  const total =
    counts === undefined || statuses === null
      ? counts?.total
      : statuses.reduce((sum, status) => sum + counts.status[status], 0);
  return (
    <div className="work">
      <header className="work-head">
        <div className="page-head">
          <h1 className="page-title">
            {t('nav.tasks')}
            <span className="page-count" role="status">
              {total !== undefined && t('tasks.count', {count: total})}
            </span>
          </h1>
          <Segments
            label={t('tasks.view')}
            value={view}
            onChange={show}
            options={[
              {id: 'list', label: t('tasks.list'), icon: 'list'},
              {id: 'board', label: t('tasks.board'), icon: 'board'},
            ]}
          />
          <Button look="primary" icon="plus" onPress={() => setAdding(true)}>
            {hasDraft(NEW_TASK) && !isAdding ? t('task.continue') : t('task.new')}
          </Button>
        </div>
        <TaskFilterBar
          filters={filters}
          onChange={change}
          counts={counts}
          searchRef={searchRef}
          onLeave={() => listRef.current?.querySelector<HTMLElement>('a[tabindex="0"]')?.focus()}
        />
      </header>
      <div ref={listRef} className="work-body">
        {view === 'list' ? (
          <TaskList filters={filters} onClear={change} onAdd={() => setAdding(true)} wantsFocus={made} />
        ) : (
          <TaskBoard filters={filters} wantsFocus={made} />
        )}
      </div>
      <Dialog title={t('task.new')} isOpen={isAdding} onClose={() => setAdding(false)}>
        <NewTask
          onClose={(task) => {
            setAdding(false);
            if (task !== null) setMade(task.id);
          }}
        />
      </Dialog>
    </div>
  );
}

function viewOf(query: URLSearchParams): View {
  return (query.get('view') ?? localStorage.getItem(VIEW)) === 'board' ? 'board' : 'list';
}
