/** Removing a desktop, and what follows from it. */
import {useState, type ReactNode} from 'react';
import {Link} from '../../app/router.js';
import {Refused, taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Confirm, Notice, Outcome, TextField} from '../../kit/index.js';
import {useAct} from '../keys/queries.js';
import {DEVICES, type Device} from './devices.js';

export interface Removal {
  readonly name: string;
  /** How many secrets it could have read; null if it never was in. */
  readonly secrets: number | null;
  readonly isRecoveryVoid: boolean;
}

export function RemoveDialog({
  device,
  hasRecoveryCode,
  onClose,
  onDone,
}: {
  device: Device;
  hasRecoveryCode: boolean;
  onClose: () => void;
  onDone: (removal: Removal) => void;
}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const {label: name, device_id: id, is_this: isThis} = device;
  const [typed, setTyped] = useState('');
  const [isOther, setOther] = useState(false);
  const isMember = device.state === 'member';
  const remove = useAct<undefined, Removal>(
    async () => {
      const call = client.DELETE('/api/v1/vault/devices/{device_id}', {params: {path: {device_id: id}}});
      // Without a body: an entry went that nobody vouched for.
      const done = (await taken(call)) as components['schemas']['RemovalDocument'] | undefined;
      return {name, secrets: done?.secrets ?? null, isRecoveryVoid: done?.recovery_code_void ?? false};
    },
    [DEVICES, 'rotation'],
    onDone,
  );
  const isLast = remove.error instanceof Refused && remove.error.code === 'last-member';
  const confirm = (): void => {
    const isIt = typed.trim() === name.trim();
    setOther(!isIt);
    if (isIt && !remove.isPending) remove.mutate(undefined);
  };
  return (
    <Confirm
      title={t('remove.title', {name})}
      isOpen
      onClose={onClose}
      confirm={{
        children: t('desktops.remove'),
        isPending: remove.isPending,
        onPress: confirm,
      }}
    >
      <p>{t(!isMember ? 'remove.text.untrusted' : isThis ? 'remove.text.this' : 'remove.text')}</p>
      {isMember && hasRecoveryCode && <p>{t('remove.recovery')}</p>}
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          confirm();
        }}
      >
        <TextField
          label={t('remove.confirm')}
          hint={<code>{name}</code>}
          value={typed}
          onChange={(given) => {
            setTyped(given);
            setOther(false);
          }}
          error={isOther ? t('remove.mismatch') : undefined}
          isMono
          autoComplete="off"
          spellCheck="false"
        />
      </form>
      <Outcome kind={remove.isError ? 'bad' : 'idle'}>
        {remove.isError && (isLast ? t('remove.last') : explainError(remove.error, texts))}
      </Outcome>
    </Confirm>
  );
}

/** Stays until it is closed: somebody has to act on it. */
export function Removed({removal, onClose}: {removal: Removal; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {name, secrets, isRecoveryVoid} = removal;
  return (
    <Notice
      kind={secrets === null || (secrets === 0 && !isRecoveryVoid) ? 'good' : 'warning'}
      title={t('removed.title', {name})}
      isAlert
      actions={
        <>
          {(secrets ?? 0) > 0 && (
            <Link to="/keys" className="button" data-look="plain" data-size="small">
              {t('removed.keys')}
            </Link>
          )}
          <Button size="small" onPress={onClose}>
            {t('action.close')}
          </Button>
        </>
      }
    >
      {secrets !== null && <p>{secrets === 0 ? t('removed.none') : t('removed.secrets', {count: secrets})}</p>}
      {isRecoveryVoid && <p>{t('removed.recovery')}</p>}
    </Notice>
  );
}
