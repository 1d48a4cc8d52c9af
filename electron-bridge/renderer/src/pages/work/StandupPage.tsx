/** What everybody told since the last time, person by person; and of whom nothing was heard. */
import {useMemo, useState, type ReactNode} from 'react';
import {Link} from '../../app/router.js';
import {usePageKeys} from '../../app/shortcuts.js';
import {Loaded} from '../../data/Loaded.js';
import {useNow} from '../../data/clock.js';
import {NO_FILTERS, type Status, type Task, type TaskFilters} from '../../data/work/filters.js';
import {useMe, useMembers, type ListedMember} from '../../data/work/members.js';
import {startOf, type Period} from '../../data/work/periods.js';
import {useTaskList} from '../../data/work/tasks.js';
import {useUpdatesSince, type ToldUpdate} from '../../data/work/updates.js';
import {useTexts} from '../../i18n/index.js';
import {Ago, Button, Dialog, Empty, Segments, Select, momentText} from '../../kit/index.js';
import {Reason} from './TaskRow.js';
import {Compose} from './Updates.js';
import {Avatar, PriorityMark, StatusMark} from './parts.js';

const PERIODS: readonly Period[] = ['today', 'workday', 'week'];
const DAY_STEP_MS = 60_000;
const AT_WORK: TaskFilters = {...NO_FILTERS, status: ['Blocked', 'In Progress'], sort: 'status'};
const OPEN: readonly Status[] = ['Blocked', 'In Progress', 'To Do'];
const MOST_TASKS = 6;

export default function StandupPage(): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const [period, setPeriod] = useState<Period>('workday');
  const since = startOf(period, useNow(DAY_STEP_MS));
  const members = useMembers();
  const updates = useUpdatesSince(since);
  const atWork = useTaskList(AT_WORK, {isWhole: true});
  const {me} = useMe();
  const [isWriting, setWriting] = useState(false);
  usePageKeys({add: () => setWriting(true)});
  const told = useMemo(() => updates.data?.pages.flatMap(({items}) => items), [updates.data]);
  const tasks = atWork.tasks;
  const data =
    members.data !== undefined && told !== undefined && tasks !== undefined
      ? {all: members.data, told, tasks}
      : undefined;
  const query = {
    data,
    error: members.error ?? updates.error ?? atWork.query.error,
    fetchStatus: [members, updates, atWork.query].some(({fetchStatus}) => fetchStatus === 'fetching')
      ? ('fetching' as const)
      : members.fetchStatus,
    refetch: () => Promise.all([members.refetch(), updates.refetch(), atWork.query.refetch()]),
  };
  return (
    <div className="work">
      <header className="work-head">
        <div className="page-head">
          <h1 className="page-title">
            {t('nav.standup')}
            <span className="page-count" role="status">
              {told !== undefined && t('standup.count', {count: told.length})}
            </span>
          </h1>
          <Segments
            label={t('standup.period')}
            value={period}
            onChange={setPeriod}
            options={PERIODS.map((id) => ({id, label: t(`standup.${id}`)}))}
          />
          <Button look="primary" icon="edit" onPress={() => setWriting(true)}>
            {t('standup.write')}
          </Button>
        </div>
        <p className="section-text">{t('standup.since', {time: momentText(since, texts)})}</p>
      </header>
      <div className="work-body">
        <Loaded
          query={query}
          isEmpty={({all}) => !all.some(({active}) => active)}
          empty={
            <Empty
              icon="standup"
              title={t('standup.none')}
              action={
                <Link to="/members" className="button" data-look="plain">
                  {t('standup.toMembers')}
                </Link>
              }
            >
              {t('standup.none.text')}
            </Empty>
          }
        >
          {(shown) => (
            <div className="standup">
              <People {...shown} me={me} />
              {updates.hasNextPage && (
                <Button isPending={updates.isFetchingNextPage} onPress={() => void updates.fetchNextPage()}>
                  {t('standup.more')}
                </Button>
              )}
            </div>
          )}
        </Loaded>
      </div>
      <Dialog title={t('standup.write')} isOpen={isWriting} onClose={() => setWriting(false)}>
        {me === null ? (
          <p className="section-text">{t('standup.write.who')}</p>
        ) : (
          <Write me={me} onSent={() => setWriting(false)} />
        )}
      </Dialog>
    </div>
  );
}

interface Shown {
  readonly all: readonly ListedMember[];
  readonly told: readonly ToldUpdate[];
  readonly tasks: readonly Task[];
}

function People({all, told, tasks, me}: Shown & {readonly me: ListedMember | null}): ReactNode {
  const {t} = useTexts();
  const people = useMemo(() => {
    const updatesOf = grouped(told, ({author_id}) => author_id);
    const tasksOf = grouped(tasks, ({assignee_id}) => assignee_id ?? '');
    return all
      .filter(({id, active}) => active || updatesOf.has(id))
      .map((member) => ({
        member,
        updates: updatesOf.get(member.id) ?? [],
        tasks: [...(tasksOf.get(member.id) ?? [])].sort(blockedFirst),
      }))
      .sort((one, other) => rank(one, me) - rank(other, me));
  }, [all, told, tasks, me]);
  const heard = people.filter(({updates}) => updates.length > 0);
  const silent = people.filter(({updates}) => updates.length === 0);
  return (
    <>
      {heard.map((person) => (
        <Person key={person.member.id} level="h2" {...person} />
      ))}
      {silent.length > 0 && (
        <section className="silent" aria-label={t('standup.silent')}>
          <h2 className="silent-title">{t('standup.silent')}</h2>
          {silent.map((person) => (
            <Person key={person.member.id} level="h3" {...person} />
          ))}
        </section>
      )}
    </>
  );
}

function grouped<T>(items: readonly T[], of: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const others = found.get(of(item));
    if (others === undefined) found.set(of(item), [item]);
    else others.push(item);
  }
  return found;
}

const blockedFirst = (one: Task, other: Task): number =>
  Number(other.status === 'Blocked') - Number(one.status === 'Blocked');

interface PersonProps {
  readonly member: ListedMember;
  readonly updates: readonly ToldUpdate[];
  readonly tasks: readonly Task[];
}

/** I stand first, then whoever is blocked. */
function rank({member, tasks}: PersonProps, me: ListedMember | null): number {
  if (member.id === me?.id) return 0;
  return tasks.some(({status}) => status === 'Blocked') ? 1 : 2;
}

function Person({member, updates, tasks, level: Heading}: PersonProps & {readonly level: 'h2' | 'h3'}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {name, active, last_update_at} = member;
  const told = [...grouped(updates, ({task_id}) => task_id)];
  const untold = tasks.filter(({id}) => !told.some(([about]) => about === id));
  const shown = untold.slice(0, MOST_TASKS);
  return (
    <section className="standup-person" aria-label={t('standup.person', {name})}>
      <header className="standup-head">
        <Avatar name={name} isActive={active} />
        <Heading className="standup-name">{name}</Heading>
        {updates.length === 0 && (
          <span className="standup-quiet">
            {last_update_at === null
              ? t('standup.never')
              : t('standup.quiet', {time: momentText(last_update_at, texts)})}
          </span>
        )}
      </header>
      {told.map(([about, its]) => (
        <ToldTask key={about} updates={its} task={tasks.find(({id}) => id === about)} />
      ))}
      {shown.length > 0 && (
        <div className="standup-untold">
          {told.length > 0 && <p className="hint">{t('standup.untold')}</p>}
          <ul className="standup-tasks">
            {shown.map((task) => (
              <li key={task.id}>
                <Link to={`/tasks/${task.id}`} className="standup-task">
                  <StatusMark status={task.status} />
                  <PriorityMark priority={task.priority} />
                  <span>{task.title}</span>
                </Link>
                {task.status === 'Blocked' && <Reason task={task} />}
              </li>
            ))}
            {untold.length > shown.length && (
              <li className="hint">{t('standup.moreTasks', {count: untold.length - shown.length})}</li>
            )}
          </ul>
        </div>
      )}
    </section>
  );
}

/** What one person told of one task. */
function ToldTask({updates, task}: {updates: readonly ToldUpdate[]; task: Task | undefined}): ReactNode {
  const [latest] = updates;
  if (latest === undefined) return null;
  return (
    <div className="standup-told">
      <Link to={`/tasks/${latest.task_id}`} className="standup-task">
        <StatusMark status={latest.task_status} />
        <span>{latest.task_title}</span>
      </Link>
      {task?.status === 'Blocked' && <Reason task={task} />}
      <ul className="standup-updates">
        {updates.map(({id, content, created_at}) => (
          <li key={id} className="standup-update">
            <p className="prose">{content}</p>
            <Ago at={created_at} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** My update of one of my open tasks. */
function Write({me, onSent}: {me: ListedMember; onSent: () => void}): ReactNode {
  const {t} = useTexts();
  const filters = useMemo<TaskFilters>(() => ({...NO_FILTERS, status: OPEN, assignee: [me.id]}), [me.id]);
  const mine = useTaskList(filters, {isWhole: true});
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <Loaded
      query={{...mine.query, data: mine.tasks}}
      isEmpty={(tasks) => tasks.length === 0}
      empty={<p className="section-text">{t('standup.noTasks')}</p>}
    >
      {(tasks) => {
        const task = chosen ?? tasks[0]?.id ?? null;
        return (
          <div className="form-part">
            <Select
              label={t('standup.which')}
              value={task}
              onChange={setChosen}
              options={tasks.map(({id, title, status}) => ({
                id,
                label: title,
                mark: <StatusMark status={status} isSilent />,
              }))}
            />
            {task !== null && <Compose key={task} task={task} onSent={onSent} autoFocus />}
          </div>
        );
      }}
    </Loaded>
  );
}
