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
  return (
    <Mark className="icon status-mark" box={16} data-status={status} name={isSilent ? null : `status.${status}`}>
      <path d={RING} />
      {INNER[status] !== '' && <path className="inner" d={INNER[status]} />}
    </Mark>
  );
}

const BARS = ['M1.5 8.5h2v3h-2z', 'M5.5 5.5h2v6h-2z', 'M9.5 2.5h2v9h-2z'] as const;
const FULL: Readonly<Record<Priority, number>> = {High: 3, Medium: 2, Low: 1};

export function PriorityMark({priority, isSilent = false}: {priority: Priority; isSilent?: boolean}): ReactNode {
  const full = FULL[priority];
  return (
    <Mark className="priority-mark" box={14} data-priority={priority} name={isSilent ? null : `priority.${priority}`}>
      <path d={BARS.slice(0, full).join('')} />
      {full < BARS.length && <path className="empty" d={BARS.slice(full).join('')} />}
    </Mark>
  );
}

/** A drawing with a name; as little of it as can be, because a list has hundreds. */
function Mark({
  name,
  box,
  children,
  ...rest
}: {
  readonly box: number;
  readonly name: `status.${Status}` | `priority.${Priority}` | null;
  readonly children: ReactNode;
  readonly className: string;
  readonly [data: `data-${string}`]: string;
}): ReactNode {
  const {t} = useTexts();
  const spoken = name === null ? {'aria-hidden': true} : {role: 'img'};
  return (
    <svg viewBox={`0 0 ${box} ${box}`} {...spoken} {...rest}>
      {name !== null && <title>{t(name)}</title>}
      {children}
    </svg>
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
      <span className="person-name" title={name}>
        {name}
      </span>
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
