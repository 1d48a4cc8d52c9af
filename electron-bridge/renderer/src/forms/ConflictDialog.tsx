/** Both versions side by side, field by field. */
import {useState, type ReactNode} from 'react';
import {useTexts} from '../i18n/index.js';
import {Button, Cards, Dialog} from '../kit/index.js';
import type {Conflict, Save} from './save.js';

export interface ConflictDialogProps<T> {
  readonly save: Save<T>;
  /** How a person calls a field, and how its value reads. */
  readonly words: (field: keyof T, value: unknown) => {readonly label: string; readonly text: string};
}

export function ConflictDialog<T extends object>({save, words}: ConflictDialogProps<T>): ReactNode {
  if (save.conflict === null) return null;
  return <OpenConflict key={save.conflict.theirs.version} conflict={save.conflict} save={save} words={words} />;
}

function OpenConflict<T extends object>({
  conflict,
  save,
  words,
}: ConflictDialogProps<T> & {readonly conflict: Conflict<T>}): ReactNode {
  const {t} = useTexts();
  const {fields, mine, theirs} = conflict;
  const [choices, setChoices] = useState<ReadonlyMap<keyof T, 'mine' | 'theirs'>>(new Map());
  const apply = (): void => {
    const untouched = Object.entries(mine).filter(([field]) => !fields.includes(field as keyof T));
    const chosen = fields.filter((field) => choices.get(field) === 'mine').map((field) => [field, mine[field]]);
    save.resolve(Object.fromEntries([...untouched, ...chosen]) as Partial<T>);
  };
  const textOf = (field: keyof T, value: unknown): string => words(field, value).text || t('conflict.empty');
  return (
    <Dialog
      title={t('conflict.title')}
      isOpen
      size="wide"
      onClose={save.putOff}
      role="alertdialog"
      actions={
        <>
          <Button onPress={save.putOff}>{t('conflict.back')}</Button>
          <Button
            look="primary"
            isDisabled={choices.size < fields.length}
            isPending={save.state !== 'idle'}
            onPress={apply}
          >
            {t('conflict.apply')}
          </Button>
        </>
      }
    >
      <p className="section-text">{t('conflict.text')}</p>
      {fields.map((field) => (
        <Cards
          key={String(field)}
          label={words(field, null).label}
          value={choices.get(field) ?? null}
          onChange={(choice) => setChoices(new Map(choices).set(field, choice))}
          options={[
            {id: 'mine', label: t('conflict.yours'), text: textOf(field, mine[field])},
            {id: 'theirs', label: t('conflict.theirs'), text: textOf(field, theirs.value[field])},
          ]}
        />
      ))}
    </Dialog>
  );
}
