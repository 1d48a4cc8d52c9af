/** A recovery code: shown once for the paper, and set only after it was typed from there. */
import {useState, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';
import {CallOutcome} from '../../forms/outcome.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Dialog, Notice, Outcome, Section, TextField} from '../../kit/index.js';
import {useAct} from '../keys/queries.js';
import {isSameCode, newRecoveryCode} from './code.js';
import type {VaultDocument} from './VaultPage.js';

export function RecoveryPart({vault}: {vault: VaultDocument}): ReactNode {
  const {t} = useTexts();
  const [isOpen, setOpen] = useState(false);
  const [isDone, setDone] = useState(false);
  return (
    <Section
      title={t('vault.recovery')}
      text={t(vault.has_recovery_code ? 'vault.recovery.some' : 'vault.recovery.none')}
    >
      <div className="form-actions">
        <Outcome kind={isDone ? 'good' : 'idle'}>{t('vault.recovery.done')}</Outcome>
        <Button
          look={vault.has_recovery_code ? 'plain' : 'primary'}
          onPress={() => {
            setOpen(true);
            setDone(false);
          }}
        >
          {t(vault.has_recovery_code ? 'vault.recovery.new' : 'vault.recovery.make')}
        </Button>
      </div>
      {isOpen && (
        <RecoveryDialog vaultId={vault.vault_id ?? ''} onDone={() => setDone(true)} onClose={() => setOpen(false)} />
      )}
    </Section>
  );
}

function RecoveryDialog({
  vaultId,
  onDone,
  onClose,
}: {
  vaultId: string;
  onDone: () => void;
  onClose: () => void;
}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const [code] = useState(newRecoveryCode);
  const [isWritten, setWritten] = useState(false);
  const [typed, setTyped] = useState('');
  const [isOther, setOther] = useState(false);
  const keep = useAct<undefined>(
    () => taken(client.POST('/api/v1/vault/recovery', {body: {recovery_code: typed}})),
    [],
    () => {
      onDone();
      onClose();
    },
  );
  const submit = (): void => {
    const isIt = isSameCode(typed, code);
    setOther(!isIt);
    if (isIt && !keep.isPending) keep.mutate(undefined);
  };
  if (!isWritten)
    return (
      <Dialog
        title={t('vault.recovery.title')}
        isOpen
        onClose={onClose}
        size="wide"
        role="alertdialog"
        actions={
          <>
            <Button onPress={onClose}>{t('action.cancel')}</Button>
            <Button icon="file" onPress={() => print()}>
              {t('vault.recovery.print.button')}
            </Button>
            <Button look="primary" onPress={() => setWritten(true)}>
              {t('vault.recovery.written')}
            </Button>
          </>
        }
      >
        <Notice kind="warning">{t('vault.recovery.print')}</Notice>
        <div className="sheet">
          <p className="sheet-title">{t('vault.recovery.sheet', {vault: vaultId})}</p>
          <p className="sheet-code">
            {code.split('-').map((group, index) => (
              <span key={`${index} ${group}`}>{group}</span>
            ))}
          </p>
          <p className="section-text">{t('vault.recovery.sheet.text')}</p>
        </div>
      </Dialog>
    );
  return (
    <Dialog
      title={t('vault.recovery.enter')}
      isOpen
      onClose={onClose}
      role="alertdialog"
      actions={
        <>
          <Button onPress={() => setWritten(false)}>{t('action.back')}</Button>
          <Button look="primary" isPending={keep.isPending} onPress={submit}>
            {t('action.save')}
          </Button>
        </>
      }
    >
      <form
        className="form"
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <p className="section-text">{t('vault.recovery.enter.text')}</p>
        <TextField
          label={t('vault.recovery')}
          value={typed}
          onChange={(given) => {
            setTyped(given);
            setOther(false);
          }}
          hint={t('vault.unlock.code.hint')}
          error={isOther ? t('vault.recovery.different') : undefined}
          isMono
          autoFocus
          autoComplete="off"
          spellCheck="false"
        />
        <CallOutcome call={keep} />
      </form>
    </Dialog>
  );
}
