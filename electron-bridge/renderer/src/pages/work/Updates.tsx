/** What was told of a task, newest first; one's own can be changed for a day. */
import {useQueryClient} from '@tanstack/react-query';
import {useMemo, useState, type ReactNode, type Ref} from 'react';
import {useWatch} from 'react-hook-form';
import {taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';
import type {DailyUpdate} from '../../data/work/filters.js';
import {useMe, useMembers} from '../../data/work/members.js';
import {useUpdateStore} from '../../data/work/steps.js';
import {useSecondsLeft} from '../../data/work/updates.js';
import {ConflictDialog} from '../../forms/ConflictDialog.js';
import {Form, SendingNotice} from '../../forms/Form.js';
import {sendingState, useCreate} from '../../forms/create.js';
import {hasDraft, useDraft} from '../../forms/draft.js';
import {TextArea} from '../../forms/fields.js';
import {useRemoval} from '../../forms/removal.js';
import {useSave} from '../../forms/save.js';
import {useTexts} from '../../i18n/index.js';
import {Ago, Confirm, IconButton, Section, Select, spanText} from '../../kit/index.js';
import {Avatar} from './parts.js';

const MOST_CHARS = 1_000;

export function Updates({
  task,
  updates,
  composeRef,
}: {
  readonly task: string;
  readonly updates: readonly DailyUpdate[];
  readonly composeRef: Ref<HTMLDivElement>;
}): ReactNode {
  const {t} = useTexts();
  return (
    <Section title={t('updates.title')}>
      <div ref={composeRef}>
        <Compose task={task} />
      </div>
      {updates.length === 0 ? (
        <p className="hint">{t('updates.none')}</p>
      ) : (
        <ul className="updates" aria-label={t('updates.title')}>
          {updates.map((update) => (
            <Update key={update.id} update={update} />
          ))}
        </ul>
      )}
    </Section>
  );
}

interface NewUpdate {
  /** Empty: who sits here. */
  author: string;
  content: string;
}

const EMPTY: NewUpdate = {author: '', content: ''};

/** A new daily update of a task. */
export function Compose({
  task,
  onSent,
  autoFocus = false,
}: {
  readonly task: string;
  readonly onSent?: () => void;
  readonly autoFocus?: boolean;
}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const cache = useQueryClient();
  const {me} = useMe();
  const {data: members} = useMembers();
  const draft = useDraft(`task.${task}.update`, EMPTY);
  const create = useCreate(
    draft,
    (body: {author_id: string; content: string}, key) =>
      taken(
        client.POST('/api/v1/tasks/{task_id}/updates', {
          params: {path: {task_id: task}, header: {'Idempotency-Key': key}},
          body,
        }),
      ),
    () => {
      void cache.invalidateQueries({queryKey: ['task', task]});
      onSent?.();
    },
  );
  const {control, setValue, setError, clearErrors, formState} = draft.form;
  const chosen = useWatch({control, name: 'author'});
  const author = chosen !== '' ? chosen : (me?.id ?? '');
  const authors = useMemo(
    () =>
      (members ?? [])
        .filter(({active}) => active)
        .map(({id, name}) => ({id, label: name, mark: <Avatar name={name} />})),
    [members],
  );
  return (
    <Form
      draft={draft}
      sending={create}
      submitLabel={t('updates.add')}
      fieldName={(field) => (field === 'content' ? t('updates.content') : null)}
      onSubmit={({content}) => {
        if (author === '') setError('author', {message: t('field.required')});
        else create.send({author_id: author, content: content.trim()});
      }}
      extra={
        <div className="compose-author">
          <Select
            label={t('updates.author')}
            isLabelHidden
            placeholder={t('updates.author')}
            value={author === '' ? null : author}
            error={formState.errors.author?.message}
            onChange={(id) => {
              clearErrors('author');
              setValue('author', id);
            }}
            options={authors}
          />
        </div>
      }
    >
      <TextArea
        control={control}
        name="content"
        label={t('updates.content')}
        isLabelHidden
        placeholder={t('updates.placeholder')}
        isRequired
        rows={2}
        maxChars={MOST_CHARS}
        autoFocus={autoFocus}
      />
    </Form>
  );
}

const editOf = (id: string): string => `update.${id}`;

function Update({update}: {update: DailyUpdate}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {me} = useMe();
  const left = useSecondsLeft(update.created_at);
  const isOwn = me?.id === update.author_id;
  const [isEditing, setEditing] = useState(() => hasDraft(editOf(update.id)));
  const [isDeleting, setDeleting] = useState(false);
  return (
    <li className="update">
      <Avatar name={update.author_name} />
      <div className="update-body">
        <div className="update-head">
          <b>{update.author_name}</b>
          <Ago at={update.created_at} />
          {update.edited && <span>{t('updates.edited')}</span>}
          {isOwn && (
            <span className="update-own">
              {left > 0 ? (
                <>
                  <span>{t('updates.left', {time: spanText(left, texts)})}</span>
                  <IconButton icon="edit" label={t('updates.edit')} onPress={() => setEditing(true)} />
                  <IconButton icon="trash" label={t('updates.delete')} onPress={() => setDeleting(true)} />
                </>
              ) : (
                <span>{t('updates.fixed')}</span>
              )}
            </span>
          )}
        </div>
        {isEditing ? (
          <Edit update={update} onClose={() => setEditing(false)} />
        ) : (
          <p className="prose">{update.content}</p>
        )}
      </div>
      {isDeleting && <Delete update={update} onClose={() => setDeleting(false)} />}
    </li>
  );
}

function Edit({update, onClose}: {update: DailyUpdate; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {id, task_id, content} = update;
  const initial = useMemo(() => ({content, base: content}), [content]);
  const draft = useDraft(editOf(id), initial);
  const save = useSave(useUpdateStore(task_id, id), onClose, draft);
  return (
    <>
      <Form
        draft={draft}
        sending={save}
        submitLabel={t('action.save')}
        onCancel={() => {
          draft.reset();
          onClose();
        }}
        fieldName={() => t('updates.content')}
        onSubmit={({content: wanted, base}) =>
          save.save({value: {content: base}, version: null}, {content: wanted.trim()})
        }
      >
        <TextArea
          control={draft.form.control}
          name="content"
          label={t('updates.content')}
          isLabelHidden
          isRequired
          rows={3}
          maxChars={MOST_CHARS}
          autoFocus
        />
      </Form>
      <ConflictDialog
        save={save}
        words={(_field, value) => ({label: t('updates.content'), text: typeof value === 'string' ? value : ''})}
      />
    </>
  );
}

function Delete({update, onClose}: {update: DailyUpdate; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const cache = useQueryClient();
  const {id, task_id} = update;
  const removal = useRemoval(
    () => taken(client.DELETE('/api/v1/tasks/{task_id}/updates/{uid}', {params: {path: {task_id, uid: id}}})),
    async () => {
      await cache.invalidateQueries({queryKey: ['task', task_id]});
      onClose();
    },
  );
  return (
    <Confirm
      title={t('updates.delete.title')}
      isOpen
      onClose={onClose}
      confirm={{
        children: t('action.delete'),
        isPending: removal.isPending,
        onPress: () => removal.mutate(),
      }}
    >
      <p className="prose quote">{update.content}</p>
      <SendingNotice sending={{state: sendingState(removal), error: removal.error}} />
    </Confirm>
  );
}
