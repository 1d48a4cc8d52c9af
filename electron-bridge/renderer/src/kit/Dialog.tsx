/** Windows over the page. The focus goes in, stays in, and comes back to where it was. */
import {useState, type ReactNode} from 'react';
import {Dialog as AriaDialog, Heading, Modal, ModalOverlay} from 'react-aria-components';
import {useTexts} from '../i18n/index.js';
import {Button, IconButton, type ButtonProps} from './Button.js';

export interface DialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons, the main one last. */
  readonly actions?: ReactNode;
  /** @default 'normal' */
  readonly size?: 'normal' | 'wide';
  readonly role?: 'dialog' | 'alertdialog';
}

export function Dialog({
  title,
  isOpen,
  onClose,
  children,
  actions,
  size = 'normal',
  role = 'dialog',
}: DialogProps): ReactNode {
  const {t} = useTexts();
  return (
    <ModalOverlay
      className="dialog-backdrop"
      data-overlay=""
      isOpen={isOpen}
      onOpenChange={(isStillOpen) => !isStillOpen && onClose()}
      isDismissable={role === 'dialog'}
    >
      <Modal className="dialog-frame" data-size={size}>
        <AriaDialog className="dialog" role={role}>
          <header className="dialog-head">
            <Heading slot="title" className="dialog-title">
              {title}
            </Heading>
            {role === 'dialog' && <IconButton icon="close" label={t('action.close')} onPress={onClose} />}
          </header>
          <div className="dialog-body">{children}</div>
          {actions !== undefined && <footer className="dialog-actions">{actions}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** A question before something that cannot be taken back. */
export function Confirm({
  title,
  isOpen,
  onClose,
  children,
  confirm,
}: Omit<DialogProps, 'actions' | 'size' | 'role'> & {readonly confirm: ButtonProps}): ReactNode {
  const {t} = useTexts();
  return (
    <Dialog
      title={title}
      isOpen={isOpen}
      onClose={onClose}
      role="alertdialog"
      actions={
        <>
          <Button onPress={onClose} autoFocus>
            {t('action.cancel')}
          </Button>
          <Button look="danger" {...confirm} />
        </>
      }
    >
      {children}
    </Dialog>
  );
}

/**
 * Which dialog is open, if any, and over what.
 *
 * `close` closes the one that was open when it was handed out: an answer may come late, when another one is.
 */
export function useOpen<T>(): {
  readonly open: T | null;
  readonly show: (what: T) => void;
  readonly close: () => void;
} {
  const [opened, setOpened] = useState<{readonly what: T} | null>(null);
  return {
    open: opened?.what ?? null,
    show: (what) => setOpened({what}),
    close: () => setOpened((now) => (now === opened ? null : now)),
  };
}
