/** One task with everything about it. */
import {useQueryClient} from '@tanstack/react-query';
import {useRef, useState, type ReactNode} from 'react';
import {Link, go} from '../../app/router.js';
import type {PageProps} from '../../app/routes.js';
import {usePageKeys} from '../../app/shortcuts.js';
import {Refused, taken} from '../../client/failure.js';
import {Loaded} from '../../data/Loaded.js';
import {usePlatform} from '../../data/situation.js';
import type {Task} from '../../data/work/filters.js';
import {useTask} from '../../data/work/tasks.js';
import {SendingNotice} from '../../forms/Form.js';
import {sendingState} from '../../forms/create.js';
import {hasDraft} from '../../forms/draft.js';
import {useRemoval} from '../../forms/removal.js';
import type {Versioned} from '../../forms/save.js';
import {useTexts} from '../../i18n/index.js';
import {Ago, Button, Confirm, Dialog, Empty, Facts, Icon, Menu, Notice} from '../../kit/index.js';
import {SubTasks} from './SubTasks.js';
import {EditTask, editOf} from './TaskForm.js';
import {TaskProperties} from './TaskProperties.js';
import {Reason} from './TaskRow.js';
import {Updates} from './Updates.js';
import {lastListQuery} from './lastList.js';

export default function TaskPage({values}: PageProps): ReactNode {
  const {id = ''} = values;
  const {t} = useTexts();
  const query = useTask(id);
  const isGone = query.error instanceof Refused && (query.error.status === 404 || query.error.field !== null);
  if (isGone && query.data === undefined)
    return (
      <Empty
        isPage
        icon="tasks"
        title={t('task.gone')}
        action={
          <Link to="/tasks" className="button" data-look="plain">
            {t('task.toAll')}
          </Link>
        }
      >
        {t('task.gone.text')}
      </Empty>
    );
  return <Loaded query={query}>{(task) => <Opened key={id} task={task} isGone={isGone} />}</Loaded>;
}

function Opened({task, isGone}: {task: Versioned<Task>; isGone: boolean}): ReactNode {
  const {t} = useTexts();
  const {value} = task;
  const {id} = value;
  const [isEditing, setEditing] = useState(() => hasDraft(editOf(id)));
  const [isDeleting, setDeleting] = useState(false);
  const [wasMerged, setMerged] = useState(false);
  const compose = useRef<HTMLDivElement>(null);
  usePageKeys({add: () => compose.current?.querySelector('textarea')?.focus()});
  return (
    <div className="task">
      <header className="task-head">
        <Link to="/tasks" query={lastListQuery()} className="back">
          <Icon name="left" />
          {t('nav.tasks')}
        </Link>
        {value.gear_id !== null && <span className="gear">{t('task.gearId', {gear: value.gear_id})}</span>}
        <span className="task-head-actions">
          <Button icon="edit" size="small" onPress={() => setEditing(true)}>
            {t('action.edit')}
          </Button>
          <Menu
            label={t('action.more')}
            actions={[
              {
                id: 'delete',
                label: t('task.delete'),
                icon: 'trash',
                isDangerous: true,
                onAction: () => setDeleting(true),
              },
            ]}
          />
        </span>
      </header>
      {isGone && (
        <Notice kind="bad" isAlert title={t('task.gone')}>
          {t('task.gone.kept')}
        </Notice>
      )}
      {wasMerged && (
        <Notice kind="info" isAlert>
          {t('conflict.merged')}
        </Notice>
      )}
      <h1 className="task-page-title">{value.title}</h1>
      <div className="task-columns">
        <div className="task-main">
          {value.status === 'Blocked' && (
            <div className="blocked-box">
              <Reason task={value} />
            </div>
          )}
          {value.description === null || value.description.trim() === '' ? (
            <p className="hint">{t('task.noDescription')}</p>
          ) : (
            <p className="prose">{value.description}</p>
          )}
          <SubTasks task={value} />
          <Updates task={id} updates={value.daily_updates} composeRef={compose} />
        </div>
        <aside className="task-side" aria-label={t('task.properties')}>
          <TaskProperties task={task} onMerged={() => setMerged(true)} />
          <Facts
            facts={[
              [t('task.created'), <Ago key="created" at={value.created_at} />],
              [t('task.changed'), <Ago key="changed" at={value.updated_at} />],
            ]}
          />
        </aside>
      </div>
      <Dialog title={t('task.edit')} isOpen={isEditing} onClose={() => setEditing(false)}>
        <EditTask
          id={id}
          task={task}
          onClose={(merged) => {
            setEditing(false);
            setMerged(merged);
          }}
        />
      </Dialog>
      {isDeleting && <DeleteTask task={task} onClose={() => setDeleting(false)} />}
    </div>
  );
}

function DeleteTask({task, onClose}: {task: Versioned<Task>; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const cache = useQueryClient();
  const {id, title, sub_tasks, daily_updates} = task.value;
  const removal = useRemoval(
    () => {
      // Only what the person has seen is deleted.
      const header = task.version === null ? {} : {'If-Match': task.version};
      return taken(client.DELETE('/api/v1/tasks/{id}', {params: {path: {id}, header}}));
    },
    () => {
      onClose();
      go('/tasks', lastListQuery(), {replace: true});
      cache.removeQueries({queryKey: ['task', id]});
    },
    () => void cache.invalidateQueries({queryKey: ['task', id]}),
  );
  return (
    <Confirm
      title={t('task.delete.title')}
      isOpen
      onClose={onClose}
      confirm={{children: t('task.delete'), isPending: removal.isPending, onPress: () => removal.mutate()}}
    >
      <p>
        <b>{title}</b>
      </p>
      <p className="section-text">
        {sub_tasks.length + daily_updates.length > 0 ? t('task.delete.children') : t('member.delete.text')}
      </p>
      <SendingNotice sending={{state: sendingState(removal), error: removal.error}} />
    </Confirm>
  );
}
