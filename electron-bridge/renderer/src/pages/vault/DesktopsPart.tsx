/** Who is in the vault and who asks: letting in, rejecting, removing. */
import {useState, type ReactNode} from 'react';
import type {UseQueryResult} from '@tanstack/react-query';
import {Refused, taken} from '../../client/failure.js';
import {Loaded} from '../../data/Loaded.js';
import {usePlatform} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Ago, Button, Notice, Outcome, Section, momentText, useOpen} from '../../kit/index.js';
import {useAct} from '../keys/queries.js';
import {ApproveDialog} from './ApproveDialog.js';
import {DEVICES, type Device} from './devices.js';
import {RemoveDialog, Removed, type Removal} from './RemoveDialog.js';

export function DesktopsPart({
  devices,
  isOpen,
  hasRecoveryCode,
}: {
  devices: UseQueryResult<readonly Device[]>;
  /** Whether this desktop is in, so that it can decide about others. */
  isOpen: boolean;
  hasRecoveryCode: boolean;
}): ReactNode {
  const {t} = useTexts();
  const [approved, setApproved] = useState<string | null>(null);
  const [removal, setRemoval] = useState<Removal | null>(null);
  const {open: asked, show: ask, close} = useOpen<{readonly act: 'approve' | 'remove'; readonly device: Device}>();
  return (
    <Section title={t('desktops')} text={t(isOpen ? 'desktops.text' : 'desktops.text.locked')}>
      {removal !== null && <Removed removal={removal} onClose={() => setRemoval(null)} />}
      {approved !== null && <Outcome kind="good">{t('approve.done', {name: approved})}</Outcome>}
      <Loaded
        query={devices}
        isEmpty={(found) => found.length === 0}
        empty={<p className="section-text">{t('desktops.none')}</p>}
      >
        {(found) => (
          <ul className="desktops">
            {found.map((device) => (
              <Row
                key={device.device_id}
                device={device}
                all={found}
                isOpen={isOpen}
                onApprove={() => {
                  setApproved(null);
                  ask({act: 'approve', device});
                }}
                onRemove={() => ask({act: 'remove', device})}
              />
            ))}
          </ul>
        )}
      </Loaded>
      {asked?.act === 'approve' && (
        <ApproveDialog
          device={asked.device}
          isGone={
            devices.data?.every(({device_id: id, state}) => id !== asked.device.device_id || state !== 'requested') ??
            false
          }
          onClose={close}
          onDone={(name) => {
            setApproved(name);
            close();
          }}
        />
      )}
      {asked?.act === 'remove' && (
        <RemoveDialog
          device={asked.device}
          hasRecoveryCode={hasRecoveryCode}
          onClose={close}
          onDone={(done) => {
            setRemoval(done);
            close();
          }}
        />
      )}
    </Section>
  );
}

function Row({
  device,
  all,
  isOpen,
  onApprove,
  onRemove,
}: {
  device: Device;
  all: readonly Device[];
  isOpen: boolean;
  onApprove: () => void;
  onRemove: () => void;
}): ReactNode {
  const {t} = useTexts();
  const {label: name, state, is_this: isThis} = device;
  const isAsking = state === 'requested';
  return (
    <li className="desktop" data-state={state}>
      <div className="desktop-who">
        <p className="desktop-name">
          <bdi>{name}</bdi>
          {isThis && <span className="badge">{t('desktops.this')}</span>}
          {isAsking && (
            <span className="badge" data-kind="warning">
              {t('desktops.asks')}
            </span>
          )}
          {state === 'untrusted' && (
            <span className="badge" data-kind="bad">
              {t('desktops.untrusted')}
            </span>
          )}
        </p>
        <Times device={device} all={all} />
        {state === 'untrusted' && <p className="desktop-warning">{t('desktops.untrusted.text')}</p>}
      </div>
      {isOpen && (
        <div className="desktop-actions">
          {isAsking ? (
            <>
              <Reject device={device} />
              <Button look="primary" size="small" aria-label={t('desktops.approve.of', {name})} onPress={onApprove}>
                {t('desktops.approve')}
              </Button>
            </>
          ) : (
            // Desktops of one computer have the same name.
            <Button
              size="small"
              aria-label={[t('desktops.remove.of', {name}), ...(isThis ? [t('desktops.this')] : [])].join(', ')}
              onPress={onRemove}
            >
              {t('desktops.remove')}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

function Times({device, all}: {device: Device; all: readonly Device[]}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {state, requested_at: asked, expires_at: until, last_seen_at: seen, approved_by: by} = device;
  if (state === 'requested')
    return (
      <p className="desktop-facts">
        {asked !== null && (
          <span>
            {t('desktops.asked')} <Ago at={asked} />
          </span>
        )}
        {until !== null && <span>{t('desktops.until', {time: momentText(until, texts)})}</span>}
      </p>
    );
  if (state === 'untrusted') return <p className="desktop-facts key-text">{device.device_id}</p>;
  return (
    <p className="desktop-facts">
      <span>
        {seen === null ? (
          t('desktops.seen.never')
        ) : (
          <>
            {t('desktops.seen')} <Ago at={seen} />
          </>
        )}
      </span>
      {by !== null && by !== device.device_id && (
        <span>
          {t('desktops.approved', {
            name: all.find(({device_id: id}) => id === by)?.label ?? t('desktops.gone'),
          })}
        </span>
      )}
    </p>
  );
}

function Reject({device}: {device: Device}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const reject = useAct<undefined>(async () => {
    try {
      await taken(client.DELETE('/api/v1/vault/devices/{device_id}', {params: {path: {device_id: device.device_id}}}));
    } catch (error) {
      // It was taken back, or somebody else has decided.
      if (!(error instanceof Refused) || error.status !== 404) throw error;
    }
  }, [DEVICES]);
  return (
    <>
      {reject.isError && <Notice kind="bad">{explainError(reject.error, texts)}</Notice>}
      <Button
        size="small"
        isPending={reject.isPending}
        aria-label={t('desktops.reject.of', {name: device.label})}
        onPress={() => reject.mutate(undefined)}
      >
        {t('desktops.reject')}
      </Button>
    </>
  );
}
