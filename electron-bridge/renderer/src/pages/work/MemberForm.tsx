/** The fields of a member, for a new one and for an edited one. */
import {useMemo, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';
import {useMemberStore, type ListedMember, type MemberFields} from '../../data/work/members.js';
import {ConflictDialog} from '../../forms/ConflictDialog.js';
import {Form} from '../../forms/Form.js';
import {useCreate} from '../../forms/create.js';
import {useDraft, type Draft} from '../../forms/draft.js';
import {TextField} from '../../forms/fields.js';
import {changesOf, useSave} from '../../forms/save.js';
import {useTexts, type Texts} from '../../i18n/index.js';
import type {Control} from 'react-hook-form';

interface Values {
  name: string;
  email: string;
}

export const NEW_MEMBER = 'member.new';
export const editOf = (id: string): string => `member.${id}.edit`;
const NEW: Values = {name: '', email: ''};

export function NewMember({onClose}: {onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const draft = useDraft<Values>(NEW_MEMBER, NEW);
  const create = useCreate(
    draft,
    (body: Values, key) => taken(client.POST('/api/v1/members', {params: {header: {'Idempotency-Key': key}}, body})),
    onClose,
  );
  return (
    <Form
      draft={draft}
      sending={create}
      onSubmit={({name, email}) => create.send({name: name.trim(), email: email.trim()})}
      submitLabel={t('member.add')}
      onCancel={onClose}
      fieldName={(field) => nameOfField(field, t)}
    >
      <Fields draft={draft} />
    </Form>
  );
}

interface EditValues extends Values {
  /** What was there when editing began: only what differs from it is sent. */
  base: Values;
}

export function EditMember({member, onClose}: {member: ListedMember; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {name, email} = member;
  const initial = useMemo<EditValues>(() => ({name, email, base: {name, email}}), [name, email]);
  const draft = useDraft<EditValues>(editOf(member.id), initial);
  const save = useSave<MemberFields>(useMemberStore(member.id), onClose, draft);
  return (
    <>
      <Form
        draft={draft}
        sending={save}
        onSubmit={({base, ...values}) => {
          const wanted = {name: values.name.trim(), email: values.email.trim()};
          save.save({value: {...base, active: member.active}, version: null}, changesOf(base, wanted));
        }}
        submitLabel={t('action.save')}
        onCancel={() => {
          draft.reset();
          onClose();
        }}
        fieldName={(field) => nameOfField(field, t)}
      >
        <Fields draft={draft as unknown as Draft<Values>} />
      </Form>
      <ConflictDialog save={save} words={wordsOfMember(t)} />
    </>
  );
}

function Fields({draft}: {draft: Draft<Values>}): ReactNode {
  const {t} = useTexts();
  const control: Control<Values> = draft.form.control;
  return (
    <div className="form-part">
      <TextField control={control} name="name" label={t('member.name')} isRequired maxChars={100} autoFocus />
      <TextField control={control} name="email" label={t('member.email')} isRequired inputMode="email" maxChars={320} />
    </div>
  );
}

function nameOfField(field: string, t: Texts['t']): string | null {
  if (field === 'name') return t('member.name');
  return field === 'email' ? t('member.email') : null;
}

/** A field and its value as people read them, for both versions side by side. */
export function wordsOfMember(
  t: Texts['t'],
): (field: keyof MemberFields, value: unknown) => {label: string; text: string} {
  return (field, value) => {
    if (field !== 'active') return {label: nameOfField(field, t) ?? '', text: typeof value === 'string' ? value : ''};
    return {label: t('member.state'), text: value === true ? t('member.active') : t('member.inactive')};
  };
}
