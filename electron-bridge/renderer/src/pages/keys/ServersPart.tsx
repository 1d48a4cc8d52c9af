/** Chat servers with keys of their own. */
import type {ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';
import {useTyped} from '../../forms/typed.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Select, TextField, useOpen} from '../../kit/index.js';
import {KeyDialog} from './KeyDialog.js';
import {KeyState} from './KeyState.js';
import {Owners, Removal, Row} from './parts.js';
import {PROVIDERS, useAct, useProviders, useRead, type ProviderName} from './queries.js';

type ServerConfig = components['schemas']['ServerConfig'];
type ServerConfigBody = components['schemas']['ServerConfigBody'];

const READS = ['servers'];
const DM = ['public', 'hidden'] as const;
const ROLLS = [
  'manual_digital',
  'manual_physical_total',
  'manual_physical_raw',
  'auto_visible',
  'auto_hidden',
] as const;
const SHEETS = ['digital_sheet', 'physical_sheet'] as const;

export function ServersPart(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const servers = useRead(READS, () => taken(client.GET('/api/v1/servers')));
  const {open, show, close} = useOpen<{readonly act: 'set' | 'delete'; readonly server: ServerConfig | null}>();
  return (
    <Owners
      title={t('keys.part.servers')}
      text={t('keys.servers.text')}
      query={servers}
      row={(server) => (
        <Row
          key={server.server_id}
          name={server.server_id}
          text={server.provider}
          actions={[
            {
              id: 'delete',
              label: t('action.delete'),
              icon: 'trash',
              isDangerous: true,
              onAction: () => show({act: 'delete', server}),
            },
          ]}
          main={
            <Button size="small" onPress={() => show({act: 'set', server})}>
              {t('keys.replace')}
              <span className="only-read-out">{` ${server.server_id}`}</span>
            </Button>
          }
        >
          <KeyState info={server.api_key} />
        </Row>
      )}
      addLabel={t('keys.servers.add')}
      onAdd={() => show({act: 'set', server: null})}
      icon="standup"
      none={t('keys.servers.none')}
    >
      {open?.act === 'set' && <ServerDialog server={open.server} onClose={close} />}
      {open?.act === 'delete' && open.server !== null && (
        <Removal
          title={t('keys.servers.delete.title', {owner: open.server.server_id})}
          text={t('keys.servers.delete.text')}
          label={t('action.delete')}
          reads={READS}
          act={() =>
            taken(
              client.DELETE('/api/v1/servers/{server_id}/config', {
                params: {path: {server_id: open.server?.server_id ?? ''}},
              }),
            )
          }
          onClose={close}
        />
      )}
    </Owners>
  );
}

function ServerDialog({server, onClose}: {server: ServerConfig | null; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const {data: providers} = useProviders();
  const typed = useTyped(`server ${server?.server_id ?? ''}`, {
    id: server?.server_id ?? '',
    provider: (server?.provider ?? 'openai') as ProviderName,
    dm: (server?.dm_roll_visibility ?? 'public') as (typeof DM)[number],
    rolls: (server?.player_roll_mode ?? 'manual_digital') as (typeof ROLLS)[number],
    sheet: (server?.character_sheet_mode ?? 'digital_sheet') as (typeof SHEETS)[number],
  });
  const {id, provider, dm, rolls, sheet} = typed.values;
  const put = useAct(
    (body: ServerConfigBody) =>
      taken(client.PUT('/api/v1/servers/{server_id}/config', {params: {path: {server_id: id.trim()}}, body})),
    READS,
  );
  return (
    <KeyDialog
      id={`server ${server?.server_id ?? ''}`}
      title={server === null ? t('keys.servers.add') : `${t('keys.replace')}: ${server.server_id}`}
      provider={provider}
      keysUrl={providers?.find(({name}) => name === provider)?.keys_url}
      hint={server?.api_key.hint}
      canSave={id.trim() !== ''}
      more={typed}
      onClose={onClose}
      save={async (key, expiresAt) => {
        await put.mutateAsync({
          api_key: key,
          provider,
          dm_roll_visibility: dm,
          player_roll_mode: rolls,
          character_sheet_mode: sheet,
          ...(expiresAt === undefined ? {} : {expires_at: expiresAt}),
        });
        typed.release();
      }}
    >
      <TextField
        label={t('keys.servers.id')}
        hint={t('keys.servers.id.hint')}
        value={id}
        onChange={(given) => typed.change({id: given})}
        isReadOnly={server !== null}
        isRequired
        isMono
      />
      <div className="form-row">
        <Select
          label={t('keys.servers.provider')}
          value={provider}
          onChange={(chosen) => typed.change({provider: chosen})}
          options={PROVIDERS.map((each) => ({
            id: each,
            label: providers?.find(({name}) => name === each)?.label ?? each,
          }))}
        />
        <Select
          label={t('keys.servers.dm')}
          value={dm}
          onChange={(chosen) => typed.change({dm: chosen})}
          options={DM.map((each) => ({id: each, label: t(`keys.servers.dm.${each}`)}))}
        />
      </div>
      <div className="form-row">
        <Select
          label={t('keys.servers.rolls')}
          value={rolls}
          onChange={(chosen) => typed.change({rolls: chosen})}
          options={ROLLS.map((each) => ({id: each, label: t(`keys.servers.rolls.${each}`)}))}
        />
        <Select
          label={t('keys.servers.sheet')}
          value={sheet}
          onChange={(chosen) => typed.change({sheet: chosen})}
          options={SHEETS.map((each) => ({id: each, label: t(`keys.servers.sheet.${each}`)}))}
        />
      </div>
    </KeyDialog>
  );
}
