/** What is chosen about a task: each choice is saved at once, as the only thing that changes. */
import {useEffect, useState, type ReactNode} from 'react';
import type {Task} from '../../data/work/filters.js';
import {useMe, useMembers} from '../../data/work/members.js';
import {fieldsOf, useTaskStore, type TaskFields} from '../../data/work/tasks.js';
import {ConflictDialog} from '../../forms/ConflictDialog.js';
import {SendingNotice} from '../../forms/Form.js';
import {useSave, type Save, type Versioned} from '../../forms/save.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Select} from '../../kit/index.js';
import {StatusDialog} from './StatusDialog.js';
import {
  assigneeOf,
  choiceOf,
  nameOfField,
  useAssigneeOptions,
  usePriorityOptions,
  useStatusOptions,
  wordsOf,
} from './TaskForm.js';

export function TaskProperties({
  task,
  onMerged,
}: {
  readonly task: Versioned<Task>;
  readonly onMerged: () => void;
}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {value, version} = task;
  const {me} = useMe();
  const members = useMembers().data;
  const [isBlocking, setBlocking] = useState(false);
  const {shown, choose, save} = useChoices(task, onMerged);
  return (
    <div className="properties">
      <Select
        label={t('task.status')}
        value={shown.status}
        onChange={(status) => {
          if (status === 'Blocked') setBlocking(value.status !== 'Blocked');
          else choose({status});
        }}
        options={useStatusOptions()}
      />
      <Select
        label={t('task.priority')}
        value={shown.priority}
        onChange={(priority) => choose({priority})}
        options={usePriorityOptions()}
      />
      <Select
        label={t('task.assignee')}
        value={choiceOf(shown.assignee_id)}
        onChange={(choice) => choose({assignee_id: assigneeOf(choice)})}
        options={useAssigneeOptions(me, value)}
      />
      {me?.active === true && shown.assignee_id !== me.id && (
        <Button size="small" onPress={() => choose({assignee_id: me.id})}>
          {t('task.take')}
        </Button>
      )}
      <SendingNotice sending={save} fieldName={(field) => nameOfField(field, t)} />
      <ConflictDialog save={save} words={(field, each) => wordsOf(field, each, texts, members)} />
      <StatusDialog
        task={isBlocking ? value : null}
        proposed="Blocked"
        version={version}
        onClose={() => setBlocking(false)}
      />
    </div>
  );
}

interface Choices {
  readonly shown: TaskFields;
  readonly choose: (changes: Partial<TaskFields>) => void;
  readonly save: Save<TaskFields>;
}

/** Save each choice at once; one that is made while another is on its way follows it. */
function useChoices({value, version}: Versioned<Task>, onMerged: () => void): Choices {
  const [sent, setSent] = useState<Partial<TaskFields>>({});
  const [queued, setQueued] = useState<Partial<TaskFields> | null>(null);
  const present = {value: fieldsOf(value), version};
  const save = useSave(useTaskStore(value.id), (_now, wasMerged) => {
    if (wasMerged) onMerged();
  });
  const isBusy = save.state !== 'idle' || save.conflict !== null;
  const start = (changes: Partial<TaskFields>): void => {
    setSent(changes);
    save.save(present, changes);
  };
  useEffect(() => {
    if (isBusy || queued === null) return;
    setQueued(null);
    if (save.error === null) start(queued);
  });
  return {
    save,
    shown: isBusy ? {...present.value, ...sent, ...queued} : present.value,
    choose(changes) {
      if (isBusy) setQueued({...queued, ...changes});
      else start(changes);
    },
  };
}
