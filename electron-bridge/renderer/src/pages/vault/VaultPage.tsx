/** The vault: its state and the ways out of a bad one; the desktops that are in; recovery, rotation, verification. */
import {useQueryClient} from '@tanstack/react-query';
import {useEffect, useState, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {Loaded} from '../../data/Loaded.js';
import {usePlatform, useSituation} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Facts, Notice, Section} from '../../kit/index.js';
import {useAct, useRead} from '../keys/queries.js';
import {DesktopsPart} from './DesktopsPart.js';
import {DEVICES, useDevices} from './devices.js';
import {JoinPart} from './JoinPart.js';
import {LockedParts} from './LockedParts.js';
import {useIsPlanted} from './planted.js';
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
  const {t} = useTexts();
  const state: string = vault.state;
  const devices = useDevices();
  const isLetIn = useLetIn();
  const isPlanted = useIsPlanted(state);
  return (
    <>
      {isLetIn && state === 'unlocked' && (
        <Notice kind="good" title={t('join.done')} isAlert>
          {t('join.done.text')}
        </Notice>
      )}
      <State vault={vault} />
      {state === 'rolled-back' && <RolledBack vault={vault} isPlanted={isPlanted} />}
      {state === 'locked' && isPlanted && (
        <Notice kind="bad" title={t('vault.planted')}>
          {t('vault.planted.text')}
        </Notice>
      )}
      {state === 'locked' && (
        <JoinPart nameOf={(own) => devices.data?.find(({device_id: id}) => id === own)?.label ?? null} />
      )}
      <DesktopsPart devices={devices} isOpen={state === 'unlocked'} hasRecoveryCode={vault.has_recovery_code} />
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

/** Reads anew what hangs on whether this desktop is in, and tells whether somebody has let it in just now. */
function useLetIn(): boolean {
  const cache = useQueryClient();
  const vault = useSituation().snapshot?.status?.vault;
  const access = vault?.access;
  const state = vault?.state;
  const [last, setLast] = useState(access);
  const [isLetIn, setLetIn] = useState(false);
  if (access !== last && access !== undefined) {
    setLast(access);
    setLetIn(last === 'requested' && access === 'member');
  }
  useEffect(() => {
    for (const name of ['vault', DEVICES]) void cache.invalidateQueries({queryKey: [name]});
  }, [cache, access, state]);
  return isLetIn;
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

/** After a restored backup, or with a foreign key in the way: a person decides whether what was known before counts. */
function RolledBack({vault, isPlanted}: {vault: VaultDocument; isPlanted: boolean}): ReactNode {
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
      title={t(isPlanted ? 'vault.planted' : 'vault.rolledback')}
      actions={
        <Button look="danger" isPending={accept.isPending} onPress={() => accept.mutate(undefined)}>
          {t(isPlanted ? 'vault.planted.accept' : 'vault.rolledback.accept')}
        </Button>
      }
    >
      <p>{t(isPlanted ? 'vault.planted.text' : 'vault.rolledback.text')}</p>
      {accept.isError && <p>{explainError(accept.error, texts)}</p>}
    </Notice>
  );
}
