/** Letting a desktop in: the code that its person reads out is typed here. */
import {useState, type ReactNode} from 'react';
import {Refused, taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts, type Texts} from '../../i18n/index.js';
import {Button, Dialog, Notice, TextField} from '../../kit/index.js';
import {useAct} from '../keys/queries.js';
import {DEVICES, type Device} from './devices.js';
import {CODE_LENGTH, isSound, plainCode} from './joinCode.js';

export function ApproveDialog({
  device,
  isGone,
  onClose,
  onDone,
}: {
  device: Device;
  /** Whether it asks no more. */
  isGone: boolean;
  onClose: () => void;
  onDone: (name: string) => void;
}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const [code, setCode] = useState('');
  const [slip, setSlip] = useState<string>();
  const approve = useAct<undefined>(
    () =>
      taken(
        client.POST('/api/v1/vault/devices/{device_id}/approve', {
          params: {path: {device_id: device.device_id}},
          body: {code: plainCode(code)},
        }),
      ),
    [DEVICES],
    () => onDone(device.label),
  );
  const submit = (): void => {
    const length = plainCode(code).length;
    const found =
      length !== CODE_LENGTH
        ? t('approve.incomplete', {count: length})
        : isSound(code)
          ? undefined
          : t('approve.mistyped');
    setSlip(found);
    approve.reset();
    if (found === undefined && !approve.isPending) approve.mutate(undefined);
  };
  return (
    <Dialog
      title={t('approve.title', {name: device.label})}
      isOpen
      onClose={onClose}
      role="alertdialog"
      actions={
        <>
          <Button onPress={onClose}>{t('action.cancel')}</Button>
          <Button look="primary" isPending={approve.isPending} onPress={submit}>
            {t('desktops.approve')}
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
        <p className="section-text">{t('approve.text')}</p>
        <TextField
          label={t('approve.code')}
          value={code}
          onChange={(typed) => {
            setCode(typed);
            setSlip(undefined);
          }}
          hint={t('approve.code.hint')}
          error={slip}
          isMono
          autoFocus
          autoComplete="off"
          spellCheck="false"
        />
        {approve.isError && <WhyNot error={approve.error} isGone={isGone} texts={texts} />}
      </form>
    </Dialog>
  );
}

function WhyNot({error, isGone, texts}: {error: Error; isGone: boolean; texts: Texts}): ReactNode {
  const {t} = texts;
  const code = error instanceof Refused ? error.code : '';
  if (code === 'code-wrong')
    return (
      <Notice kind="bad" title={t('approve.wrong')} isAlert>
        <p>{t('approve.wrong.text')}</p>
        <p>{t(isGone ? 'approve.void' : 'approve.wrong.next')}</p>
      </Notice>
    );
  const known: Readonly<Record<string, string>> = {
    'not-requested': t('approve.gone'),
    'not-found': t('approve.gone'),
    'request-expired': t('approve.expired'),
  };
  return (
    <Notice kind="bad" isAlert>
      {known[code] ?? explainError(error, texts)}
    </Notice>
  );
}
