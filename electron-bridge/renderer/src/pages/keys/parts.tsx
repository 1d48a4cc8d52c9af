/** Lists of owners with their rows, the dialog that edits one, and questions before something goes. */
import type {UseMutationResult, UseQueryResult} from '@tanstack/react-query';
import type {ReactNode} from 'react';
import {Loaded} from '../../data/Loaded.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {
  Button,
  Confirm,
  Dialog,
  Empty,
  Menu,
  Notice,
  Section,
  type IconName,
  type MenuAction,
} from '../../kit/index.js';
import {useAct} from './queries.js';

export interface OwnersProps<T> {
  readonly title: string;
  readonly text: string;
  readonly query: UseQueryResult<readonly T[]>;
  readonly row: (owner: T) => ReactNode;
  readonly addLabel: string;
  readonly onAdd: () => void;
  readonly icon: IconName;
  /** What stands where there is none. */
  readonly none: string;
  /** The dialog that is open. */
  readonly children: ReactNode;
}

/** All owners of one kind, and a button that adds one. */
export function Owners<T>({title, text, query, row, addLabel, onAdd, icon, none, children}: OwnersProps<T>): ReactNode {
  const add = (
    <Button icon="plus" onPress={onAdd}>
      {addLabel}
    </Button>
  );
  return (
    <Section title={title} text={text} actions={add}>
      <Loaded query={query} isEmpty={(found) => found.length === 0} empty={<Empty icon={icon} title={none} />}>
        {(found) => <ul className="key-list">{found.map(row)}</ul>}
      </Loaded>
      {children}
    </Section>
  );
}

export interface EditDialogProps {
  readonly title: string;
  readonly save: UseMutationResult<unknown, Error, undefined>;
  readonly canSave: boolean;
  readonly onClose: () => void;
  /** Further buttons. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A dialog with a form that is sent once, by its button or by Enter. */
export function EditDialog({title, save, canSave, onClose, actions, children}: EditDialogProps): ReactNode {
  const {t} = useTexts();
  const submit = (): void => {
    if (canSave && !save.isPending) save.mutate(undefined);
  };
  return (
    <Dialog
      title={title}
      isOpen
      onClose={onClose}
      actions={
        <>
          {actions}
          <Button look="primary" isDisabled={!canSave} isPending={save.isPending} onPress={submit}>
            {t('action.save')}
          </Button>
        </>
      }
    >
      <form
        className="form"
        autoComplete="off"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {children}
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}

export interface RowProps {
  readonly name: string;
  readonly text?: ReactNode;
  readonly children: ReactNode;
  readonly actions: readonly MenuAction[];
  /** Buttons that are always seen. */
  readonly main?: ReactNode;
  /** What became of the last act. */
  readonly below?: ReactNode;
}

export function Row({name, text, children, actions, main, below}: RowProps): ReactNode {
  const {t} = useTexts();
  return (
    <li className="key-row">
      <div className="key-line">
        <div className="key-who">
          <span className="key-name">{name}</span>
          {text !== undefined && <span className="key-text">{text}</span>}
        </div>
        {children}
        <div className="key-actions">
          {main}
          {actions.length > 0 && <Menu label={`${t('action.more')}: ${name}`} actions={actions} />}
        </div>
      </div>
      {below}
    </li>
  );
}

export interface RemovalProps {
  readonly title: string;
  readonly text: string;
  readonly label: string;
  readonly reads: readonly string[];
  readonly act: () => Promise<unknown>;
  readonly onClose: () => void;
}

export function Removal({title, text, label, reads, act, onClose}: RemovalProps): ReactNode {
  const texts = useTexts();
  const removal = useAct<undefined>(act, reads, onClose);
  return (
    <Confirm
      title={title}
      isOpen
      onClose={onClose}
      confirm={{children: label, isPending: removal.isPending, onPress: () => removal.mutate(undefined)}}
    >
      <p>{text}</p>
      {removal.isError && (
        <Notice kind="bad" isAlert>
          {explainError(removal.error, texts)}
        </Notice>
      )}
    </Confirm>
  );
}
