/** The vault: its state and the ways out of a bad one; recovery, rotation, verification. */
import type {ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {Loaded} from '../../data/Loaded.js';
import {usePlatform} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Facts, Notice, Section} from '../../kit/index.js';
import {useAct, useRead} from '../keys/queries.js';
import {LockedParts} from './LockedParts.js';
import {RecoveryPart} from './RecoveryPart.js';
import {RotationPart} from './RotationPart.js';
import {VerifyPart} from './VerifyPart.js';

export type VaultDocument = components['schemas']['VaultDocument'];

const KINDS: Readonly<Record<string, 'good' | 'warning'>> = {unlocked: 'good', locked: 'warning'};

export default function VaultPage(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const vault = useRead(['vault'], () => taken(client.GET('/api/v1/vault')));
  return (
    <div className="column">
      <header className="page-head">
        <h1 className="page-title">{t('nav.vault')}</h1>
      </header>
      <p className="section-text">{t('vault.text')}</p>
      <Loaded query={vault}>{(document) => <Parts vault={document} />}</Loaded>
    </div>
  );
}

function Parts({vault}: {vault: VaultDocument}): ReactNode {
  const state: string = vault.state;
  return (
    <>
      <State vault={vault} />
      {state === 'rolled-back' && <RolledBack vault={vault} />}
      {state === 'locked' && <LockedParts vault={vault} />}
      {state === 'unlocked' && (
        <>
          <RecoveryPart vault={vault} />
          <RotationPart />
        </>
      )}
      <VerifyPart />
    </>
  );
}

function State({vault}: {vault: VaultDocument}): ReactNode {
  const {t, find} = useTexts();
  return (
    <Section
      title={t('vault.secrets', {count: vault.secrets})}
      actions={
        <span className="badge" data-kind={KINDS[vault.state] ?? 'bad'}>
          {find(`vault.state.${vault.state}`) ?? vault.state}
        </span>
      }
    >
      {vault.unreadable > 0 && <Notice kind="warning">{t('vault.unreadable', {count: vault.unreadable})}</Notice>}
      <Facts
        facts={[
          [t('vault.fingerprint'), <code key="own">{vault.key_fingerprint}</code>],
          ...(vault.needs_fingerprint === null
            ? []
            : ([[t('vault.needs'), <code key="needs">{vault.needs_fingerprint}</code>]] as const)),
          [t('vault.kid'), <code key="kid">{vault.kid}</code>],
          [t('vault.id'), <code key="id">{vault.vault_id}</code>],
        ]}
      />
    </Section>
  );
}

/** After a restored backup: a person decides whether the older state counts. */
function RolledBack({vault}: {vault: VaultDocument}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const accept = useAct<undefined>(
    () => taken(client.POST('/api/v1/vault/accept', {body: {confirm: vault.vault_id ?? ''}})),
    [],
  );
  return (
    <Notice
      kind="bad"
      title={t('vault.rolledback')}
      actions={
        <Button look="danger" isPending={accept.isPending} onPress={() => accept.mutate(undefined)}>
          {t('vault.rolledback.accept')}
        </Button>
      }
    >
      <p>{t('vault.rolledback.text')}</p>
      {accept.isError && <p>{explainError(accept.error, texts)}</p>}
    </Notice>
  );
}
