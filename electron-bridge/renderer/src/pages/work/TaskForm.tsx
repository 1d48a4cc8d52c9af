/** The fields of a task, for a new one and for an edited one; both keep what is typed. */
import {useMemo, useRef, type ReactNode} from 'react';
import {useWatch, type Control} from 'react-hook-form';
import {taken} from '../../client/failure.js';
import {PRIORITIES, STATUSES, type Priority, type Status, type Task} from '../../data/work/filters.js';
import {useMe, useMembers, type ListedMember} from '../../data/work/members.js';
import {fieldsOf, useTaskStore, type TaskFields} from '../../data/work/tasks.js';
import {usePlatform} from '../../data/situation.js';
import {ConflictDialog} from '../../forms/ConflictDialog.js';
import {Form} from '../../forms/Form.js';
import {useCreate} from '../../forms/create.js';
import {useDraft} from '../../forms/draft.js';
import {Finder, Select, TextArea, TextField} from '../../forms/fields.js';
import {changesOf, useSave, type Versioned} from '../../forms/save.js';
import {useTexts, type Texts} from '../../i18n/index.js';
import type {Option} from '../../kit/index.js';
import {Avatar, PriorityMark, StatusMark} from './parts.js';

/** Stands for nobody, because a choice needs an id. */
const NOBODY = 'nobody';

export interface TaskValues {
  title: string;
  description: string;
  status: Status;
  priority: Priority;
  assignee: string;
  gear: string;
  reason: string;
}

const NEW: TaskValues = {
  title: '',
  description: '',
  status: 'To Do',
  priority: 'Medium',
  assignee: NOBODY,
  gear: '',
  reason: '',
};

export const NEW_TASK = 'task.new';

function valuesOf(task: TaskFields): TaskValues {
  return {
    title: task.title,
    description: task.description ?? '',
    status: task.status,
    priority: task.priority,
    assignee: task.assignee_id ?? NOBODY,
    gear: task.gear_id ?? '',
    reason: task.blocking_reason,
  };
}

function fieldsFrom(values: TaskValues): TaskFields {
  return {
    title: values.title.trim(),
    description: values.description === '' ? null : values.description,
    status: values.status,
    priority: values.priority,
    assignee_id: values.assignee === NOBODY ? null : values.assignee,
    gear_id: values.gear.trim() === '' ? null : values.gear.trim(),
    blocking_reason: values.status === 'Blocked' ? values.reason.trim() : '',
  };
}

/** The sidecar decides; but its sentence stands in one language and beside no field. */
const isGear = (text: string): boolean => /^(\d{4})?$/.test(text.trim());

export function NewTask({
  status,
  onClose,
}: {
  status?: Status | undefined;
  onClose: (made: Task | null) => void;
}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const {me} = useMe();
  const initial = useMemo(() => ({...NEW, status: status ?? NEW.status}), [status]);
  const draft = useDraft<TaskValues>(NEW_TASK, initial);
  const create = useCreate(
    draft,
    (body: TaskFields, key) => taken(client.POST('/api/v1/tasks', {params: {header: {'Idempotency-Key': key}}, body})),
    onClose,
  );
  return (
    <Form
      draft={draft}
      sending={create}
      onSubmit={(values) => {
        if (isGear(values.gear)) create.send(fieldsFrom(values));
        else draft.form.setError('gear', {message: t('task.gear.rule')});
      }}
      submitLabel={t('task.add')}
      onCancel={() => onClose(null)}
      fieldName={(field) => nameOfField(field, t)}
    >
      <Fields control={draft.form.control} me={me} />
    </Form>
  );
}

interface EditValues extends TaskValues {
  /** What was there when editing began: only what differs from it is sent, also after a reload. */
  base: TaskFields;
  version: string | null;
}

export const editOf = (id: string): string => `task.${id}.edit`;

export function EditTask({
  id,
  task,
  onClose,
}: {
  readonly id: string;
  readonly task: Versioned<Task>;
  readonly onClose: (wasMerged: boolean) => void;
}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {me} = useMe();
  const members = useMembers().data;
  const opened = useRef(task);
  const initial = useMemo<EditValues>(() => {
    const base = fieldsOf(opened.current.value);
    return {...valuesOf(base), base, version: opened.current.version};
  }, []);
  const draft = useDraft<EditValues>(editOf(id), initial);
  const save = useSave(useTaskStore(id), (_now, wasMerged) => onClose(wasMerged), draft);
  const words = (field: keyof TaskFields, value: unknown): {label: string; text: string} =>
    wordsOf(field, value, texts, members);
  return (
    <>
      <Form
        draft={draft}
        sending={save}
        onSubmit={(values) => {
          const {base, version} = values;
          if (!isGear(values.gear)) draft.form.setError('gear', {message: t('task.gear.rule')});
          else save.save({value: base, version}, changesOf(base, fieldsFrom(values)));
        }}
        submitLabel={t('action.save')}
        onCancel={() => {
          draft.reset();
          onClose(false);
        }}
        fieldName={(field) => nameOfField(field, t)}
      >
        <Fields control={draft.form.control as unknown as Control<TaskValues>} me={me} present={task.value} />
      </Form>
      <ConflictDialog save={save} words={words} />
    </>
  );
}

function Fields({
  control,
  me,
  present,
}: {
  readonly control: Control<TaskValues>;
  readonly me: ListedMember | null;
  /** The task as it is, whose assignee may be inactive. */
  readonly present?: Task;
}): ReactNode {
  const {t} = useTexts();
  const status = useWatch({control, name: 'status'});
  return (
    <div className="form-part">
      <TextField control={control} name="title" label={t('task.title')} isRequired maxChars={200} autoFocus />
      <TextArea
        control={control}
        name="description"
        label={t('task.description')}
        isOptional
        rows={4}
        maxChars={2_000}
      />
      <div className="form-row">
        <Select control={control} name="status" label={t('task.status')} options={useStatusOptions()} />
        <Select control={control} name="priority" label={t('task.priority')} options={usePriorityOptions()} />
      </div>
      {status === 'Blocked' && (
        <TextArea
          control={control}
          name="reason"
          label={t('task.reason')}
          hint={t('task.reason.hint')}
          isRequired
          rows={2}
          maxChars={1_000}
        />
      )}
      <div className="form-row" data-shape="wide-narrow">
        <Finder
          control={control}
          name="assignee"
          label={t('task.assignee')}
          options={useAssigneeOptions(me, present)}
        />
        <TextField control={control} name="gear" label={t('task.gear')} isOptional isMono inputMode="numeric" />
      </div>
    </div>
  );
}

export function useStatusOptions(): readonly Option<Status>[] {
  const {t} = useTexts();
  return useMemo(
    () =>
      STATUSES.map((status) => ({
        id: status,
        label: t(`status.${status}`),
        mark: <StatusMark status={status} isSilent />,
      })),
    [t],
  );
}

export function usePriorityOptions(): readonly Option<Priority>[] {
  const {t} = useTexts();
  return useMemo(
    () =>
      PRIORITIES.map((priority) => ({
        id: priority,
        label: t(`priority.${priority}`),
        mark: <PriorityMark priority={priority} isSilent />,
      })),
    [t],
  );
}

/** Everybody who can take a task: me first, then by name; an inactive one only where it is theirs already. */
export function useAssigneeOptions(
  me: ListedMember | null,
  present?: Pick<Task, 'assignee_id' | 'assignee_name'>,
): readonly Option[] {
  const {t} = useTexts();
  const {data: members = []} = useMembers();
  const id = present?.assignee_id ?? null;
  return useMemo(() => {
    const able = members.filter((member) => member.active && member.id !== me?.id);
    const people = [...(me?.active === true ? [me] : []), ...able].map((member) => ({
      id: member.id,
      label: member.id === me?.id ? t('member.me', {name: member.name}) : member.name,
      mark: <Avatar name={member.name} />,
    }));
    const absent = id !== null && !people.some((person) => person.id === id);
    const name = present?.assignee_name ?? '';
    return [
      {id: NOBODY, label: t('task.unassigned'), mark: <Avatar name="–" />},
      ...people,
      ...(absent ? [{id, label: t('member.isInactive', {name}), mark: <Avatar name={name} isActive={false} />}] : []),
    ];
  }, [members, me, id, present?.assignee_name, t]);
}

/** The id that a choice has, as the sidecar knows it. */
export const assigneeOf = (choice: string): string | null => (choice === NOBODY ? null : choice);
export const choiceOf = (assignee: string | null): string => assignee ?? NOBODY;

export function nameOfField(field: string, t: Texts['t']): string | null {
  switch (field) {
    case 'title':
      return t('task.title');
    case 'description':
      return t('task.description');
    case 'status':
      return t('task.status');
    case 'priority':
      return t('task.priority');
    case 'assignee_id':
      return t('task.assignee');
    case 'gear_id':
      return t('task.gear');
    case 'blocking_reason':
      return t('task.reason');
    default:
      return null;
  }
}

/** A field and its value as people read them, for both versions side by side. */
export function wordsOf(
  field: keyof TaskFields,
  value: unknown,
  texts: Texts,
  members: readonly ListedMember[] = [],
): {label: string; text: string} {
  const {t} = texts;
  const label = nameOfField(field, t) ?? field;
  if (field === 'status') return {label, text: texts.find(`status.${String(value)}`) ?? ''};
  if (field === 'priority') return {label, text: texts.find(`priority.${String(value)}`) ?? ''};
  if (field === 'assignee_id') {
    const name = members.find(({id}) => id === value)?.name;
    return {label, text: name ?? (value === null ? t('task.unassigned') : '')};
  }
  return {label, text: typeof value === 'string' ? value : ''};
}
