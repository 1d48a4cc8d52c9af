/** Users' keys: the first ones for everybody, and one for a single user. */
import {useState, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {Loaded} from '../../data/Loaded.js';
import {usePlatform} from '../../data/situation.js';
import {useTyped} from '../../forms/typed.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Notice, Outcome, Section, Select, TextField, useOpen} from '../../kit/index.js';
import {KeyDialog} from './KeyDialog.js';
import {KeyState} from './KeyState.js';
import {Removal, Row} from './parts.js';
import {PROVIDERS, useAct, useProviders, useRead, type ProviderName} from './queries.js';

const READS = ['initial-keys'];

export function UsersPart(): ReactNode {
  return (
    <>
      <InitialKeys />
      <OneUser />
    </>
  );
}

function InitialKeys(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const {data: providers} = useProviders();
  const keys = useRead(READS, () => taken(client.GET('/api/api-keys/status-initial')));
  const {open, show, close} = useOpen<ProviderName>();
  const store = useAct(
    (body: components['schemas']['UserKeyBody']) => taken(client.POST('/api/api-keys/set-initial', {body})),
    READS,
  );
  const labelOf = (name: ProviderName): string => providers?.find((each) => each.name === name)?.label ?? name;
  return (
    <Section title={t('keys.users.initial')} text={t('keys.users.initial.text')}>
      <Loaded query={keys}>
        {(found) => (
          <>
            {!found.open && <Notice kind="info">{t('keys.users.initial.closed')}</Notice>}
            <ul className="key-list">
              {PROVIDERS.map((name) => {
                const key = found.providers[name];
                return (
                  <Row
                    key={name}
                    name={labelOf(name)}
                    actions={[]}
                    main={
                      found.open && (
                        <Button size="small" onPress={() => show(name)}>
                          {t(key?.has_api_key === true ? 'keys.replace' : 'keys.set')}
                          <span className="only-read-out">{` ${labelOf(name)}`}</span>
                        </Button>
                      )
                    }
                  >
                    <KeyState
                      info={{
                        set: key?.has_api_key ?? false,
                        hint: key?.hint ?? null,
                        status: key?.status ?? null,
                        last_validated_at: key?.last_validated ?? null,
                        expires_at: key?.expires_at ?? null,
                      }}
                    />
                  </Row>
                );
              })}
            </ul>
          </>
        )}
      </Loaded>
      {open !== null && (
        <KeyDialog
          id={`first ${open}`}
          title={`${t('keys.set')}: ${labelOf(open)}`}
          provider={open}
          isCheckedBySidecar
          keysUrl={providers?.find(({name}) => name === open)?.keys_url}
          onClose={close}
          save={(key, expiresAt) =>
            store.mutateAsync({
              provider: open,
              api_key: key,
              ...(expiresAt === undefined ? {} : {expires_at: expiresAt}),
            })
          }
        />
      )}
    </Section>
  );
}

function OneUser(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const {data: providers} = useProviders();
  const typed = useTyped<{user: string; provider: ProviderName}>('user', {user: '', provider: 'openai'});
  const {user, provider} = typed.values;
  const [isDone, setDone] = useState(false);
  const {open, show, close} = useOpen<'set' | 'remove'>();
  const owner = user.trim();
  const operation = {owner_kind: 'user', owner_id: owner, name: provider} as const;
  const apply = useAct(
    (one: components['schemas']['BulkOperation']) =>
      taken(client.POST('/api/v1/vault/bulk', {body: {operations: [one]}})),
    READS,
    () => setDone(true),
    typed,
  );
  return (
    <Section title={t('keys.users.other')} text={t('keys.users.other.text')}>
      <div className="form-row">
        <TextField
          label={t('keys.users.id')}
          value={user}
          onChange={(given) => {
            typed.change({user: given});
            setDone(false);
          }}
          isMono
          autoComplete="off"
        />
        <Select
          label={t('keys.users.provider')}
          value={provider}
          onChange={(chosen) => typed.change({provider: chosen})}
          options={PROVIDERS.map((each) => ({
            id: each,
            label: providers?.find(({name}) => name === each)?.label ?? each,
          }))}
        />
      </div>
      <div className="form-actions">
        <Outcome kind={isDone ? 'good' : 'idle'}>{t('keys.users.done')}</Outcome>
        <Button look="danger" isDisabled={owner === ''} onPress={() => show('remove')}>
          {t('keys.remove')}
        </Button>
        <Button isDisabled={owner === ''} onPress={() => show('set')}>
          {t('keys.set')}
        </Button>
      </div>
      {open === 'set' && (
        <KeyDialog
          id={`user ${owner} ${provider}`}
          title={`${t('keys.set')}: ${owner}`}
          provider={provider}
          onClose={close}
          save={(key, expiresAt) =>
            apply.mutateAsync({
              ...operation,
              op: 'set',
              secret: key,
              ...(expiresAt === undefined ? {} : {expires_at: expiresAt}),
            })
          }
        />
      )}
      {open === 'remove' && (
        <Removal
          title={t('keys.remove.title', {owner})}
          text={t('keys.remove.text')}
          label={t('keys.remove')}
          reads={READS}
          act={() => apply.mutateAsync({...operation, op: 'delete'})}
          onClose={close}
        />
      )}
    </Section>
  );
}
