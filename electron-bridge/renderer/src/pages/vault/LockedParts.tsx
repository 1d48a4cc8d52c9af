/** Ways out of locked: the recovery code, the key, or giving the lost key up. */
import {useState, type ReactNode} from 'react';
import {Refused, taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Confirm, Outcome, Section, SecretField, Segments, TextField} from '../../kit/index.js';
import {useAct} from '../keys/queries.js';
import type {VaultDocument} from './VaultPage.js';

const READS = ['ai-keys', 'servers', 'tenants', 'cameras', 'alert-rules'];

export function LockedParts({vault}: {vault: VaultDocument}): ReactNode {
  return (
    <>
      <Unlock vault={vault} />
      <Reset vault={vault} />
    </>
  );
}

function Unlock({vault}: {vault: VaultDocument}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const [how, setHow] = useState<'code' | 'key'>(vault.has_recovery_code ? 'code' : 'key');
  const [secret, setSecret] = useState('');
  const unlock = useAct<undefined>(
    () =>
      taken(
        client.POST('/api/v1/vault/unlock', {
          body: how === 'code' ? {recovery_code: secret} : {encryption_key: secret.trim()},
        }),
      ),
    READS,
    () => setSecret(''),
  );
  const isWrong = unlock.error instanceof Refused && unlock.error.status === 400;
  return (
    <Section
      title={t('vault.unlock.title')}
      text={`${t('vault.locked.text', {fingerprint: vault.needs_fingerprint ?? ''})} ${t('vault.unlock.text')}`}
    >
      <form
        className="form"
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          if (secret.trim() !== '' && !unlock.isPending) unlock.mutate(undefined);
        }}
      >
        <Segments
          label={t('vault.unlock.how')}
          value={how}
          onChange={(chosen) => {
            setHow(chosen);
            setSecret('');
            unlock.reset();
          }}
          options={[
            {id: 'code', label: t('vault.unlock.code'), icon: 'file'},
            {id: 'key', label: t('vault.unlock.key'), icon: 'keys'},
          ]}
        />
        <SecretField
          key={how}
          label={t(`vault.unlock.${how}`)}
          value={secret}
          onChange={setSecret}
          isRequired
          {...(how === 'code' ? {hint: t('vault.unlock.code.hint')} : {})}
        />
        <div className="form-actions">
          <Outcome kind={unlock.isPending ? 'busy' : unlock.isError ? 'bad' : 'idle'}>
            {unlock.isError && (isWrong ? t(`vault.unlock.${how}.wrong`) : explainError(unlock.error, texts))}
          </Outcome>
          <Button type="submit" look="primary" isPending={unlock.isPending}>
            {t('vault.unlock')}
          </Button>
        </div>
      </form>
    </Section>
  );
}

function Reset({vault}: {vault: VaultDocument}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const [isAsking, setAsking] = useState(false);
  const [typed, setTyped] = useState('');
  const [isOther, setOther] = useState(false);
  const reset = useAct<undefined>(
    () => taken(client.POST('/api/v1/vault/reset', {body: {confirm: typed.trim()}})),
    READS,
    () => setAsking(false),
  );
  return (
    <Section title={t('vault.reset')} text={t('vault.reset.text')}>
      <div className="form-actions">
        <Button look="danger" onPress={() => setAsking(true)}>
          {t('vault.reset')}
        </Button>
      </div>
      <Confirm
        title={t('vault.reset.title')}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        confirm={{
          children: t('vault.reset'),
          isPending: reset.isPending,
          onPress() {
            const isIt = typed.trim().toLowerCase() === vault.vault_id;
            setOther(!isIt);
            if (isIt) reset.mutate(undefined);
          },
        }}
      >
        <p>{t('vault.reset.text')}</p>
        <TextField
          label={t('vault.reset.confirm')}
          hint={<code>{vault.vault_id}</code>}
          value={typed}
          onChange={setTyped}
          isMono
          error={isOther ? t('vault.reset.mismatch') : undefined}
        />
        <Outcome kind={reset.isError ? 'bad' : 'idle'}>{reset.isError && explainError(reset.error, texts)}</Outcome>
      </Confirm>
    </Section>
  );
}
