/** Search, filters, sort and counts above the tasks. */
import {useEffect, useRef, useState, type ReactNode, type RefObject} from 'react';
import {ToggleButton} from 'react-aria-components';
import {go} from '../../app/router.js';
import {usePlatform} from '../../data/situation.js';
import {
  NO_FILTERS,
  PRIORITIES,
  SORTS,
  STATUSES,
  UNASSIGNED,
  gearOf,
  isFiltered,
  type TaskFilters,
} from '../../data/work/filters.js';
import {useMe, useMembers} from '../../data/work/members.js';
import {tasksWithGear, type TaskCounts} from '../../data/work/tasks.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Select, Several, TextField} from '../../kit/index.js';
import {Avatar, PriorityMark, StatusMark} from './parts.js';

const TYPING_MS = 30;

export interface TaskFilterBarProps {
  readonly filters: TaskFilters;
  readonly onChange: (filters: TaskFilters) => void;
  /** Under the same filters, whatever the status. */
  readonly counts: TaskCounts | undefined;
  readonly searchRef: RefObject<HTMLInputElement | null>;
  /** Leave the search for the list. */
  readonly onLeave: () => void;
}

export function TaskFilterBar({filters, onChange, counts, searchRef, onLeave}: TaskFilterBarProps): ReactNode {
  const {t} = useTexts();
  const {me} = useMe();
  const {data: members = []} = useMembers();
  const mine = me !== null && filters.assignee.length === 1 && filters.assignee[0] === me.id;
  const change = (changed: Partial<TaskFilters>): void => onChange({...filters, ...changed});
  return (
    <div className="filters" role="search" aria-label={t('tasks.filters')}>
      <div className="filters-line">
        <Search filters={filters} onChange={change} searchRef={searchRef} onLeave={onLeave} />
        <Several
          label={t('task.priority')}
          value={filters.priority}
          onChange={(priority) => change({priority})}
          options={PRIORITIES.map((priority) => ({
            id: priority,
            label: t(`priority.${priority}`),
            mark: <PriorityMark priority={priority} isSilent />,
          }))}
        />
        <Several
          label={t('task.assignee')}
          value={filters.assignee}
          onChange={(assignee) => change({assignee})}
          options={[
            {id: UNASSIGNED, label: t('task.unassigned'), mark: <Avatar name="–" />},
            ...members.map(({id, name, active}) => ({
              id,
              label: active ? name : t('member.isInactive', {name}),
              mark: <Avatar name={name} isActive={active} />,
            })),
          ]}
        />
        {me !== null && (
          <ToggleButton
            className="button filter"
            data-look="plain"
            data-active={mine || undefined}
            isSelected={mine}
            onChange={(isOn) => change({assignee: isOn ? [me.id] : []})}
          >
            {t('tasks.mine')}
          </ToggleButton>
        )}
        <Select
          label={t('tasks.sort')}
          isLabelHidden
          isQuiet
          value={filters.sort}
          onChange={(sort) => change({sort})}
          options={SORTS.map((sort) => ({id: sort, label: t(`sort.${sort}`)}))}
        />
      </div>
      <div className="filters-line" role="group" aria-label={t('task.status')}>
        {STATUSES.map((status) => {
          const isOn = filters.status.includes(status);
          return (
            <ToggleButton
              key={status}
              className="chip"
              data-status={status}
              isSelected={isOn}
              onChange={() =>
                change({status: STATUSES.filter((each) => filters.status.includes(each) !== (each === status))})
              }
            >
              <StatusMark status={status} isSilent />
              <span>{t(`status.${status}`)}</span>
              <Count value={counts?.status[status]} />
            </ToggleButton>
          );
        })}
        <ToggleButton
          className="chip"
          isSelected={filters.assignee.includes(UNASSIGNED)}
          onChange={(isOn) =>
            change({assignee: isOn ? [UNASSIGNED] : filters.assignee.filter((id) => id !== UNASSIGNED)})
          }
        >
          <span>{t('task.unassigned')}</span>
          <Count value={counts?.unassigned} />
        </ToggleButton>
        {isFiltered(filters) && (
          <Button look="quiet" size="small" icon="close" onPress={() => onChange({...NO_FILTERS, sort: filters.sort})}>
            {t('tasks.clear')}
          </Button>
        )}
      </div>
    </div>
  );
}

function Count({value}: {value: number | undefined}): ReactNode {
  const {locale} = useTexts();
  return (
    <span className="count tabular">{value === undefined ? '' : new Intl.NumberFormat(locale).format(value)}</span>
  );
}

/** Searches while one types; Enter on a GEAR ID opens its task. */
function Search({
  filters,
  onChange,
  searchRef,
  onLeave,
}: {
  readonly filters: TaskFilters;
  readonly onChange: (changed: Partial<TaskFilters>) => void;
  readonly searchRef: RefObject<HTMLInputElement | null>;
  readonly onLeave: () => void;
}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const [text, setText] = useState(filters.search);
  const [said, setSaid] = useState('');
  const sent = useRef(filters.search);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text;
      latest.current({search: text});
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    // Cleared, or gone back to.
    if (filters.search !== sent.current) {
      sent.current = filters.search;
      setText(filters.search);
    }
  }, [filters.search]);

  const jump = async (gear: string): Promise<void> => {
    // Whoever comes back finds what was typed.
    sent.current = text;
    onChange({search: text});
    const [task, other] = await tasksWithGear(client, gear);
    if (task === undefined) setSaid(t('tasks.gear.none', {gear}));
    else if (other === undefined) go(`/tasks/${task.id}`);
    else onLeave();
  };
  const gear = gearOf(text);
  return (
    <div className="search">
      <TextField
        label={t('tasks.search')}
        isLabelHidden
        type="search"
        icon="search"
        placeholder={t('tasks.search.placeholder')}
        inputRef={searchRef}
        value={text}
        onChange={(value) => {
          setText(value);
          setSaid('');
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && gear !== null) void jump(gear).catch(() => setSaid(t('error.unreachable')));
          else if (event.key === 'Enter' || event.key === 'ArrowDown') onLeave();
          else if (event.key === 'Escape' && text !== '') setText('');
          else {
            event.continuePropagation();
            return;
          }
          event.preventDefault();
        }}
      />
      <span role="status" className="search-said">
        {said === '' && gear !== null ? t('tasks.gear.jump', {gear}) : said}
      </span>
    </div>
  );
}
