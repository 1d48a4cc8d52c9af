/** Another status for a task of a list: by a key, or by a drop on a column of the board. */
import {useMemo, type ReactNode} from 'react';
import {useWatch} from 'react-hook-form';
import {STATUSES, type Status, type Task} from '../../data/work/filters.js';
import {fieldsOf, useTaskStore} from '../../data/work/tasks.js';
import {ConflictDialog} from '../../forms/ConflictDialog.js';
import {Form} from '../../forms/Form.js';
import {useDraft} from '../../forms/draft.js';
import {TextArea} from '../../forms/fields.js';
import {changesOf, useSave} from '../../forms/save.js';
import {useTexts} from '../../i18n/index.js';
import {Cards, Dialog} from '../../kit/index.js';
import {nameOfField, wordsOf} from './TaskForm.js';
import {StatusMark} from './parts.js';

export interface StatusDialogProps {
  /** Whose status; null while nobody asks. */
  readonly task: Task | null;
  /** The status that is proposed. @default the present one */
  readonly proposed?: Status | undefined;
  /** Its version if it is known. */
  readonly version?: string | null;
  readonly onClose: () => void;
}

export function StatusDialog({task, onClose, ...rest}: StatusDialogProps): ReactNode {
  const {t} = useTexts();
  return (
    <Dialog title={t('status.choose')} isOpen={task !== null} onClose={onClose}>
      {task !== null && <StatusForm key={task.id} task={task} onClose={onClose} {...rest} />}
    </Dialog>
  );
}

interface Values {
  status: Status;
  reason: string;
}

function StatusForm({task, proposed, version = null, onClose}: StatusDialogProps & {readonly task: Task}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  // What the person sees while choosing; a colleague's change meanwhile is a conflict.
  const base = useMemo(() => ({value: fieldsOf(task), version}), [task, version]);
  const initial = useMemo<Values>(
    () => ({status: proposed ?? task.status, reason: task.blocking_reason}),
    [proposed, task.status, task.blocking_reason],
  );
  const draft = useDraft<Values>(`task.${task.id}.status`, initial);
  const save = useSave(useTaskStore(task.id), onClose, draft);
  const {control, setValue} = draft.form;
  const status = useWatch({control, name: 'status'});
  return (
    <>
      <p className="section-text">{task.title}</p>
      <Form
        draft={draft}
        sending={save}
        submitLabel={t('action.save')}
        onCancel={() => {
          draft.reset();
          onClose();
        }}
        fieldName={(field) => nameOfField(field, t)}
        onSubmit={({status: wanted, reason}) =>
          save.save(
            base,
            changesOf(base.value, {status: wanted, blocking_reason: wanted === 'Blocked' ? reason.trim() : ''}),
          )
        }
      >
        <Cards
          label={t('task.status')}
          isLabelHidden
          value={status}
          onChange={(chosen) => setValue('status', chosen)}
          options={STATUSES.map((each) => ({
            id: each,
            label: t(`status.${each}`),
            mark: <StatusMark status={each} isSilent />,
          }))}
        />
        {status === 'Blocked' && (
          <TextArea
            control={control}
            name="reason"
            label={t('task.reason')}
            hint={t('task.reason.hint')}
            isRequired
            rows={3}
            maxChars={1_000}
          />
        )}
      </Form>
      <ConflictDialog save={save} words={(field, value) => wordsOf(field, value, texts)} />
    </>
  );
}
