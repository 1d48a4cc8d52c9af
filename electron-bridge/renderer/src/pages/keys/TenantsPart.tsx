/** Tenants: their plan, and their key, which the sidecar checks before it replaces the one before. */
import type {ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';
import {CallOutcome, RestoredNotice} from '../../forms/outcome.js';
import {useTyped} from '../../forms/typed.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Select, TextField, useOpen} from '../../kit/index.js';
import {KeyDialog} from './KeyDialog.js';
import {KeyState} from './KeyState.js';
import {EditDialog, Owners, Removal, Row} from './parts.js';
import {useAct, useRead} from './queries.js';

type Tenant = components['schemas']['Tenant'];

const READS = ['tenants', 'tenant-key'];
const TIERS = ['trial', 'pro', 'enterprise'] as const;
type Tier = (typeof TIERS)[number];
const WORDS = {id: 'keys.tenants.id', name: 'keys.tenants.name', tier: 'keys.tenants.tier'} as const;

export function TenantsPart(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const tenants = useRead(['tenants'], () => taken(client.GET('/api/v1/tenants')));
  const {open, show, close} = useOpen<{
    readonly act: 'edit' | 'key' | 'remove-key' | 'delete';
    readonly tenant: Tenant | null;
  }>();
  const id = open?.tenant?.id ?? '';
  const path = {params: {path: {id}}};
  const store = useAct(
    (body: components['schemas']['OpenAIKeyBody']) =>
      taken(client.POST('/api/v1/tenants/{id}/openai-key', {...path, body})),
    READS,
  );
  return (
    <Owners
      title={t('keys.part.tenants')}
      text={t('keys.tenants.text')}
      query={tenants}
      row={(tenant) => <TenantRow key={tenant.id} tenant={tenant} onAct={(act) => show({act, tenant})} />}
      addLabel={t('keys.tenants.add')}
      onAdd={() => show({act: 'edit', tenant: null})}
      icon="team"
      none={t('keys.tenants.none')}
    >
      {open?.act === 'edit' && <TenantDialog tenant={open.tenant} onClose={close} />}
      {open?.act === 'key' && (
        <KeyDialog
          id={`tenant ${id}`}
          title={`${t('keys.set')}: ${open.tenant?.name ?? ''}`}
          provider="openai"
          isCheckedBySidecar
          onClose={close}
          save={(key, expiresAt) =>
            store.mutateAsync({api_key: key, ...(expiresAt === undefined ? {} : {expires_at: expiresAt})})
          }
        />
      )}
      {open?.act === 'remove-key' && (
        <Removal
          title={t('keys.remove.title', {owner: open.tenant?.name ?? ''})}
          text={t('keys.remove.text')}
          label={t('keys.remove')}
          reads={READS}
          act={() => taken(client.DELETE('/api/v1/tenants/{id}/openai-key', path))}
          onClose={close}
        />
      )}
      {open?.act === 'delete' && (
        <Removal
          title={t('keys.tenants.delete.title', {owner: open.tenant?.name ?? ''})}
          text={t('keys.tenants.delete.text')}
          label={t('action.delete')}
          reads={READS}
          act={() => taken(client.DELETE('/api/v1/tenants/{id}', path))}
          onClose={close}
        />
      )}
    </Owners>
  );
}

function TenantRow({
  tenant,
  onAct,
}: {
  tenant: Tenant;
  onAct: (act: 'edit' | 'key' | 'remove-key' | 'delete') => void;
}): ReactNode {
  const {t, find} = useTexts();
  const {client} = usePlatform();
  const status = useRead(['tenant-key', tenant.id], () =>
    taken(client.GET('/api/v1/tenants/{id}/openai-key/status', {params: {path: {id: tenant.id}}})),
  );
  const hasKey = status.data?.has_key === true;
  return (
    <Row
      name={tenant.name}
      text={`${tenant.id} · ${find(`keys.tenants.tier.${tenant.tier}`) ?? tenant.tier}`}
      actions={[
        {id: 'edit', label: t('action.edit'), icon: 'edit', onAction: () => onAct('edit')},
        ...(hasKey
          ? [
              {
                id: 'remove',
                label: t('keys.remove'),
                icon: 'keys',
                isDangerous: true,
                onAction: () => onAct('remove-key'),
              } as const,
            ]
          : []),
        {id: 'delete', label: t('action.delete'), icon: 'trash', isDangerous: true, onAction: () => onAct('delete')},
      ]}
      main={
        <Button size="small" onPress={() => onAct('key')}>
          {t(hasKey ? 'keys.replace' : 'keys.set')}
          <span className="only-read-out">{` ${tenant.name}`}</span>
        </Button>
      }
    >
      {status.data !== undefined && <KeyState info={{...status.data, set: status.data.has_key, expires_at: null}} />}
    </Row>
  );
}

function TenantDialog({tenant, onClose}: {tenant: Tenant | null; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const typed = useTyped(`tenant ${tenant?.id ?? ''}`, {
    id: tenant?.id ?? '',
    name: tenant?.name ?? '',
    tier: (tenant?.tier ?? 'trial') as Tier,
    limit: String(tenant?.trial_limit ?? ''),
    tokens: String(tenant?.trial_tokens ?? ''),
  });
  const {id, name, tier, limit, tokens} = typed.values;
  const save = useAct<undefined>(
    () =>
      tenant === null
        ? taken(client.POST('/api/v1/tenants', {body: {id: id.trim(), name: name.trim(), tier}}))
        : taken(
            client.PATCH('/api/v1/tenants/{id}', {
              params: {path: {id: tenant.id}},
              body: changed(tenant, {name: name.trim(), tier, trial_limit: limit, trial_tokens: tokens}),
            }),
          ),
    READS,
    onClose,
    typed,
  );
  const canSave = id.trim() !== '' && name.trim() !== '';
  return (
    <EditDialog
      title={tenant === null ? t('keys.tenants.add') : tenant.name}
      save={save}
      canSave={canSave}
      onClose={onClose}
    >
      <RestoredNotice {...typed} />
      <TextField
        label={t('keys.tenants.id')}
        hint={t('keys.tenants.id.hint')}
        value={id}
        onChange={(given) => typed.change({id: given})}
        isReadOnly={tenant !== null}
        isRequired
        isMono
        autoFocus
      />
      <TextField
        label={t('keys.tenants.name')}
        value={name}
        onChange={(given) => typed.change({name: given})}
        isRequired
      />
      <Select
        label={t('keys.tenants.tier')}
        value={tier}
        onChange={(chosen) => typed.change({tier: chosen})}
        options={TIERS.map((each) => ({
          id: each,
          label: t(`keys.tenants.tier.${each}`),
          ...(each === 'trial' ? {text: t('keys.tenants.tier.trial.text')} : {}),
        }))}
      />
      {tenant !== null && tier === 'trial' && (
        <div className="form-row">
          <TextField
            label={t('keys.tenants.limit')}
            value={limit}
            onChange={(given) => typed.change({limit: given})}
            inputMode="numeric"
          />
          <TextField
            label={t('keys.tenants.tokens')}
            value={tokens}
            onChange={(given) => typed.change({tokens: given})}
            inputMode="numeric"
          />
        </div>
      )}
      <CallOutcome call={save} fieldName={(field) => (field in WORDS ? t(WORDS[field as keyof typeof WORDS]) : null)} />
    </EditDialog>
  );
}

/** Only what differs: a colleague's change of something else stays. */
function changed(before: Tenant, wanted: components['schemas']['TenantUpdate']): components['schemas']['TenantUpdate'] {
  const known: Readonly<Record<string, unknown>> = {...before};
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => String(known[name]) !== String(value)));
}
