/** Small things that stand for a status, a priority, a person. Their words are read out. */
import type {ReactNode} from 'react';
import type {Priority, Status, SubTask} from '../../data/work/filters.js';
import {useTexts} from '../../i18n/index.js';
import {Icon} from '../../kit/index.js';

const RING = 'M8 2.5a5.5 5.5 0 110 11 5.5 5.5 0 010-11z';
/** What stands inside the ring. */
const INNER: Readonly<Record<Status, string>> = {
  'To Do': '',
  'In Progress': 'M8 5v6a3 3 0 000-6z',
  'Blocked': 'M5.5 8h5',
  'Done': 'M5.4 8.2l1.8 1.8 3.4-3.8',
};

export function StatusMark({status, isSilent = false}: {status: Status; isSilent?: boolean}): ReactNode {
  const {t} = useTexts();
  return (
    <span className="status-mark" data-status={status}>
      <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <path d={RING} />
        <path className="inner" d={INNER[status]} />
      </svg>
      {!isSilent && <span className="only-read-out">{t(`status.${status}`)}</span>}
    </span>
  );
}

const BARS: Readonly<Record<Priority, number>> = {High: 3, Medium: 2, Low: 1};

export function PriorityMark({priority, isSilent = false}: {priority: Priority; isSilent?: boolean}): ReactNode {
  const {t} = useTexts();
  return (
    <span className="priority-mark" data-priority={priority} title={isSilent ? undefined : t(`priority.${priority}`)}>
      <svg viewBox="0 0 14 14" aria-hidden="true" focusable="false">
        {[1, 2, 3].map((bar) => (
          <rect
            key={bar}
            x={bar * 4 - 3}
            y={11 - bar * 3}
            width="3"
            height={bar * 3 + 1}
            rx="1"
            data-on={bar <= BARS[priority] || undefined}
          />
        ))}
      </svg>
      {!isSilent && <span className="only-read-out">{t(`priority.${priority}`)}</span>}
    </span>
  );
}

export function Avatar({name, isActive = true}: {name: string; isActive?: boolean}): ReactNode {
  const words = name.split(/\s+/).filter(Boolean);
  const [first = '', last = ''] = [words[0], words.length > 1 ? words.at(-1) : undefined].map(
    (word) => /^./u.exec(word ?? '')?.[0],
  );
  return (
    // Drawn by the style: to who listens, and to who speaks to the computer, the name is enough.
    <span
      className="avatar"
      aria-hidden="true"
      data-letters={(first + last).toUpperCase()}
      data-inactive={!isActive || undefined}
    />
  );
}

/** Whose task it is. */
export function Assignee({name, isActive}: {name: string | null; isActive: boolean | null}): ReactNode {
  const {t} = useTexts();
  if (name === null) return <span className="person person-nobody">{t('task.unassigned')}</span>;
  return (
    <span className="person">
      <Avatar name={name} isActive={isActive !== false} />
      <span className="person-name">{name}</span>
      {isActive === false && <span className="badge">{t('member.inactive')}</span>}
    </span>
  );
}

/** How many steps are done. */
export function Steps({steps}: {steps: readonly SubTask[]}): ReactNode {
  const {t} = useTexts();
  if (steps.length === 0) return null;
  const done = steps.filter(({completed}) => completed).length;
  return (
    <span className="steps tabular" data-all={done === steps.length || undefined} title={t('steps.title')}>
      <Icon name="check" />
      <span aria-hidden="true">{`${done}/${steps.length}`}</span>
      <span className="only-read-out">{t('steps.done', {done, all: steps.length})}</span>
    </span>
  );
}
