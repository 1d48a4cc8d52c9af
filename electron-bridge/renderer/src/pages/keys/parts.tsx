/** Rows, and questions before something goes. */
import {useState, type ReactNode} from 'react';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Confirm, Menu, Notice, type MenuAction} from '../../kit/index.js';
import {useAct} from './queries.js';

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

/** Which dialog is open, if any, and over what. */
export function useOpen<T>(): {
  readonly open: T | null;
  readonly show: (what: T) => void;
  readonly close: () => void;
} {
  const [open, setOpen] = useState<T | null>(null);
  return {open, show: setOpen, close: () => setOpen(null)};
}
