/** The steps of a task: ticked, renamed, put in order by hand or by keyboard. */
import {useCallback, useEffect, useMemo, useRef, useState, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';
import type {SubTask, Task} from '../../data/work/filters.js';
import {useDeleteStep, useOrder, useStepStore, useTick} from '../../data/work/steps.js';
import {ConflictDialog} from '../../forms/ConflictDialog.js';
import {SendingNotice} from '../../forms/Form.js';
import {sendingState, useCreate} from '../../forms/create.js';
import {hasDraft, useDraft} from '../../forms/draft.js';
import {TextField} from '../../forms/fields.js';
import {useSave} from '../../forms/save.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Checkbox, Icon, IconButton, Section} from '../../kit/index.js';
import {Steps} from './parts.js';

const MOST = 20;

export function SubTasks({task}: {task: Task}): ReactNode {
  const {t} = useTexts();
  const order = useOrder(task.id);
  const [wanted, setWanted] = useState<readonly string[] | null>(null);
  const [said, setSaid] = useState('');
  const [dragged, setDragged] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const steps = useMemo(() => inOrder(task.sub_tasks, wanted), [task.sub_tasks, wanted]);

  const moved = (id: string, to: number): readonly string[] => {
    const ids = steps.map((step) => step.id).filter((each) => each !== id);
    ids.splice(to, 0, id);
    return ids;
  };
  const commit = (ids: readonly string[], id: string): void => {
    setWanted(ids);
    setSaid(
      t('steps.moved', {
        title: steps.find((step) => step.id === id)?.title ?? '',
        place: ids.indexOf(id) + 1,
        all: ids.length,
      }),
    );
    order.mutate(ids, {onSettled: () => setWanted(null)});
  };
  const moveBy = (id: string, by: number): void => {
    const from = steps.findIndex((step) => step.id === id);
    const to = Math.max(0, Math.min(steps.length - 1, from + by));
    if (to !== from) commit(moved(id, to), id);
  };
  /** The place that a pointer is over. */
  const placeAt = (y: number): number => {
    const rows = [...(list.current?.children ?? [])];
    const below = rows.findIndex((row) => {
      const {top, height} = row.getBoundingClientRect();
      return y < top + height;
    });
    return below < 0 ? rows.length - 1 : below;
  };
  const drag = useRef<{readonly to: (y: number) => void; readonly drop: () => void} | null>(null);
  useEffect(() => {
    drag.current = {
      to(y) {
        if (dragged !== null) setWanted(moved(dragged, placeAt(y)));
      },
      drop() {
        setDragged(null);
        if (dragged !== null && wanted !== null) commit(wanted, dragged);
      },
    };
  });
  useEffect(() => {
    if (dragged === null) return;
    // On the window: what is dragged is moved about in the document, where it would lose the pointer.
    const move = (event: PointerEvent): void => drag.current?.to(event.clientY);
    const drop = (): void => drag.current?.drop();
    addEventListener('pointermove', move);
    addEventListener('pointerup', drop);
    addEventListener('pointercancel', drop);
    return () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', drop);
      removeEventListener('pointercancel', drop);
    };
  }, [dragged]);
  return (
    <Section title={t('steps.title')} actions={<Steps steps={task.sub_tasks} />}>
      {steps.length > 0 && (
        <ul ref={list} className="step-list" aria-label={t('steps.title')}>
          {steps.map((step) => (
            <Step
              key={step.id}
              step={step}
              isDragged={step.id === dragged}
              onMoveBy={(by) => moveBy(step.id, by)}
              onDrag={() => setDragged(step.id)}
            />
          ))}
        </ul>
      )}
      <p role="status" className="only-read-out">
        {said}
      </p>
      <SendingNotice sending={{state: sendingState(order), error: order.error}} />
      {task.sub_tasks.length < MOST ? <NewStep task={task.id} /> : <p className="hint">{t('steps.full')}</p>}
    </Section>
  );
}

/** The steps as they are wanted; what a colleague added or removed meanwhile stays as it is. */
function inOrder(steps: readonly SubTask[], wanted: readonly string[] | null): readonly SubTask[] {
  if (wanted === null) return steps;
  const place = new Map(wanted.map((id, index) => [id, index]));
  return [...steps].sort((one, other) => (place.get(one.id) ?? Infinity) - (place.get(other.id) ?? Infinity));
}

function Step({
  step,
  isDragged,
  onMoveBy,
  onDrag,
}: {
  readonly step: SubTask;
  readonly isDragged: boolean;
  readonly onMoveBy: (by: number) => void;
  readonly onDrag: () => void;
}): ReactNode {
  const {t} = useTexts();
  const {id, task_id, title, completed} = step;
  const ticking = useTick(task_id, id);
  const deleting = useDeleteStep(task_id, id);
  const draftName = `step.${id}`;
  const [isRenaming, setRenaming] = useState(() => hasDraft(draftName));
  const isDone = ticking.isPending ? ticking.variables.isDone : completed;
  return (
    <li className="step" data-done={isDone || undefined} data-dragged={isDragged || undefined}>
      <div className="step-line">
        <button
          type="button"
          className="button icon-button step-grip"
          data-look="quiet"
          aria-label={t('steps.move', {title})}
          title={t('steps.move.hint')}
          onKeyDown={(event) => {
            const by = {ArrowUp: -1, ArrowDown: 1}[event.key];
            if (by === undefined) return;
            event.preventDefault();
            onMoveBy(by);
          }}
          onPointerDown={(event) => {
            if (event.button === 0) onDrag();
          }}
        >
          <Icon name="grip" />
        </button>
        <Checkbox
          isSelected={isDone}
          onChange={(wanted) => !ticking.isPending && ticking.mutate({isDone: wanted})}
          aria-label={title}
        />
        {isRenaming ? (
          <Rename step={step} draftName={draftName} onClose={() => setRenaming(false)} />
        ) : (
          <>
            <span className="step-title">{title}</span>
            <span className="step-actions">
              <IconButton icon="edit" label={t('steps.rename', {title})} onPress={() => setRenaming(true)} />
              <IconButton
                icon="trash"
                label={t('steps.delete', {title})}
                onPress={() => !deleting.isPending && deleting.mutate()}
              />
            </span>
          </>
        )}
      </div>
      <SendingNotice sending={{state: sendingState(ticking), error: ticking.error}} />
      <SendingNotice sending={{state: sendingState(deleting), error: deleting.error}} />
    </li>
  );
}

function Rename({step, draftName, onClose}: {step: SubTask; draftName: string; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const initial = useMemo(() => ({title: step.title, base: step.title}), [step.title]);
  const draft = useDraft(draftName, initial);
  const save = useSave(useStepStore(step.task_id, step.id), onClose, draft);
  const cancel = (): void => {
    draft.reset();
    onClose();
  };
  return (
    <form
      className="step-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (save.state !== 'idle') return;
        void draft.form.handleSubmit(({title, base}) => {
          save.save({value: {title: base}, version: null}, {title: title.trim()});
        })();
      }}
      onKeyDown={(event) => event.key === 'Escape' && cancel()}
    >
      <TextField
        control={draft.form.control}
        name="title"
        label={t('steps.name')}
        isLabelHidden
        isRequired
        maxChars={200}
        autoFocus
      />
      <Button type="submit" size="small" look="primary" isPending={save.state !== 'idle'}>
        {t('action.save')}
      </Button>
      <Button size="small" onPress={cancel}>
        {t('action.cancel')}
      </Button>
      <SendingNotice sending={save} fieldName={() => t('steps.name')} />
      <ConflictDialog
        save={save}
        words={(_field, value) => ({label: t('steps.name'), text: typeof value === 'string' ? value : ''})}
      />
    </form>
  );
}

const EMPTY = {title: ''};

function NewStep({task}: {task: string}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const draft = useDraft(`task.${task}.step`, EMPTY);
  const field = useRef<HTMLFormElement>(null);
  const again = useCallback(() => field.current?.querySelector('input')?.focus(), []);
  const create = useCreate(
    draft,
    (title: string, key) =>
      taken(
        client.POST('/api/v1/tasks/{task_id}/subtasks', {
          params: {path: {task_id: task}, header: {'Idempotency-Key': key}},
          body: {title},
        }),
      ),
    again,
  );
  return (
    <form
      ref={field}
      className="step-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (create.state === 'idle') void draft.form.handleSubmit(({title}) => create.send(title.trim()))();
      }}
    >
      <TextField
        control={draft.form.control}
        name="title"
        label={t('steps.new')}
        isLabelHidden
        placeholder={t('steps.new')}
        isRequired
        maxChars={200}
      />
      <Button type="submit" size="small" isPending={create.state !== 'idle'} icon="plus">
        {t('action.add')}
      </Button>
      <SendingNotice sending={create} fieldName={() => t('steps.name')} />
    </form>
  );
}
