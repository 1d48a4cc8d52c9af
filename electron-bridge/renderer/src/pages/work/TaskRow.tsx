/** A task as a line of the list and as a card of the board. */
import {memo, type ReactNode} from 'react';
import {Link} from '../../app/router.js';
import type {Task} from '../../data/work/filters.js';
import {useTexts} from '../../i18n/index.js';
import {Ago, Icon, Since} from '../../kit/index.js';
import {Assignee, PriorityMark, StatusMark, Steps} from './parts.js';

interface Shown {
  readonly task: Task;
  /** The one that Tab leads to. */
  readonly isActive: boolean;
}

export const TaskRow = memo(function TaskRow({task, isActive}: Shown): ReactNode {
  const {t} = useTexts();
  return (
    <Link
      to={`/tasks/${task.id}`}
      className="task-row"
      data-status={task.status}
      tabIndex={isActive ? 0 : -1}
      draggable={false}
    >
      <span className="task-line">
        <StatusMark status={task.status} />
        <PriorityMark priority={task.priority} />
        <span className="gear">{task.gear_id}</span>
        <span className="task-title">{task.title}</span>
        {task.latest_update !== null && task.status !== 'Blocked' && (
          <span className="task-told">{task.latest_update.content}</span>
        )}
        <span className="task-facts">
          <Steps steps={task.sub_tasks} />
          <Assignee name={task.assignee_name} isActive={task.assignee_active} />
          <Ago at={task.updated_at} className="task-when" spokenBefore={t('task.changed')} />
        </span>
      </span>
      {task.status === 'Blocked' && <Reason task={task} />}
    </Link>
  );
});

export const TaskCard = memo(function TaskCard({
  task,
  isActive,
  onDrag,
}: Shown & {readonly onDrag: (task: Task | null) => void}): ReactNode {
  return (
    <Link
      to={`/tasks/${task.id}`}
      className="task-card"
      data-status={task.status}
      tabIndex={isActive ? 0 : -1}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData('text/plain', task.title);
        onDrag(task);
      }}
      onDragEnd={() => onDrag(null)}
    >
      <span className="card-line">
        {task.gear_id !== null && <span className="gear">{task.gear_id}</span>}
        <PriorityMark priority={task.priority} />
        <Steps steps={task.sub_tasks} />
        <Ago at={task.updated_at} className="task-when" />
      </span>
      <span className="card-title">{task.title}</span>
      {task.status === 'Blocked' && <Reason task={task} />}
      <Assignee name={task.assignee_name} isActive={task.assignee_active} />
    </Link>
  );
});

/** Why it stands still, whole, and for how long. */
export function Reason({task}: {task: Pick<Task, 'blocking_reason' | 'blocked_since'>}): ReactNode {
  const {t} = useTexts();
  return (
    <span className="reason">
      <Icon name="blocked" />
      <span>
        <span className="reason-text">{task.blocking_reason}</span>{' '}
        {task.blocked_since !== null && (
          <span className="reason-age">
            {t('task.blockedFor')} <Since at={task.blocked_since} />
          </span>
        )}
      </span>
    </span>
  );
}
