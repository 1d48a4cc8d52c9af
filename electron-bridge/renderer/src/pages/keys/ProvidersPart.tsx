/** The providers' keys for everybody. */
import type {ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {Loaded} from '../../data/Loaded.js';
import {usePlatform} from '../../data/situation.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Section, useOpen} from '../../kit/index.js';
import {KeyDialog} from './KeyDialog.js';
import {KeyState} from './KeyState.js';
import {Removal, Row} from './parts.js';
import {PROVIDERS, useAct, useProviders, useRead, type ProviderName} from './queries.js';

const READS = ['ai-keys'];

export function ProvidersPart(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const keys = useRead(READS, () => taken(client.GET('/api/v1/settings/ai-keys')));
  const {data: providers} = useProviders();
  const {open, show, close} = useOpen<{readonly provider: ProviderName; readonly act: 'set' | 'remove'}>();
  const put = useAct(
    (body: components['schemas']['SystemKeysBody']) => taken(client.PUT('/api/v1/settings/ai-keys', {body})),
    READS,
  );
  const labelOf = (name: ProviderName): string => providers?.find((each) => each.name === name)?.label ?? name;
  return (
    <Section title={t('keys.part.providers')} text={t('keys.providers.text')}>
      <Loaded query={keys}>
        {(found) => (
          <ul className="key-list">
            {PROVIDERS.map((name) => (
              <Row
                key={name}
                name={labelOf(name)}
                actions={
                  found[name].set
                    ? [
                        {
                          id: 'remove',
                          label: t('keys.remove'),
                          icon: 'trash',
                          isDangerous: true,
                          onAction: () => show({provider: name, act: 'remove'}),
                        },
                      ]
                    : []
                }
                main={
                  <Button size="small" onPress={() => show({provider: name, act: 'set'})}>
                    {t(found[name].set ? 'keys.replace' : 'keys.set')}
                    <span className="only-read-out">{` ${labelOf(name)}`}</span>
                  </Button>
                }
              >
                <KeyState info={found[name]} />
              </Row>
            ))}
          </ul>
        )}
      </Loaded>
      {open?.act === 'set' && (
        <KeyDialog
          id={open.provider}
          title={`${t(keys.data?.[open.provider].set === true ? 'keys.replace' : 'keys.set')}: ${labelOf(open.provider)}`}
          provider={open.provider}
          keysUrl={providers?.find(({name}) => name === open.provider)?.keys_url}
          hint={keys.data?.[open.provider].hint}
          onClose={close}
          save={(key, expiresAt) =>
            put.mutateAsync({
              [open.provider]: expiresAt === undefined ? key : {api_key: key, expires_at: expiresAt},
            })
          }
        />
      )}
      {open?.act === 'remove' && (
        <Removal
          title={t('keys.remove.title', {owner: labelOf(open.provider)})}
          text={t('keys.remove.text')}
          label={t('keys.remove')}
          reads={READS}
          act={() => taken(client.PUT('/api/v1/settings/ai-keys', {body: {[open.provider]: null}}))}
          onClose={close}
        />
      )}
    </Section>
  );
}
