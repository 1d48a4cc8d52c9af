/** Cameras: added, tried out before and after, and their passwords never shown. */
import {useState, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';
import {changesOf} from '../../forms/save.js';
import {CallOutcome, RestoredNotice} from '../../forms/outcome.js';
import {useTyped, without} from '../../forms/typed.js';
import {explainCoded} from '../../i18n/explain.js';
import {useTexts, type PlainName} from '../../i18n/index.js';
import {Button, Details, Outcome, SecretField, Switch, TextField, useOpen} from '../../kit/index.js';
import {StatusBadge} from './KeyState.js';
import {EditDialog, Owners, Removal, Row} from './parts.js';
import {useAct, useAddOnce, useRead} from './queries.js';

type Camera = components['schemas']['Camera'];
type CameraOutcome = components['schemas']['CameraOutcome'];

const READS = ['cameras'];
const WORDS: Readonly<Record<string, PlainName>> = {
  name: 'keys.cameras.name',
  stream_url: 'keys.cameras.url',
  username: 'keys.cameras.username',
  password: 'keys.cameras.password',
};

export function CamerasPart(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const cameras = useRead(READS, () => taken(client.GET('/api/v1/cameras')));
  const {open, show, close} = useOpen<{readonly act: 'edit' | 'delete'; readonly camera: Camera | null}>();
  return (
    <Owners
      title={t('keys.part.cameras')}
      text={t('keys.cameras.text')}
      query={cameras}
      row={(camera) => <CameraRow key={camera.id} camera={camera} onAct={(act) => show({act, camera})} />}
      addLabel={t('keys.cameras.add')}
      onAdd={() => show({act: 'edit', camera: null})}
      icon="camera"
      none={t('keys.cameras.none')}
    >
      {open?.act === 'edit' && <CameraDialog camera={open.camera} onClose={close} />}
      {open?.act === 'delete' && open.camera !== null && (
        <Removal
          title={t('keys.cameras.delete.title', {owner: open.camera.name})}
          text={t('keys.cameras.delete.text')}
          label={t('action.delete')}
          reads={READS}
          act={() => taken(client.DELETE('/api/v1/cameras/{id}', {params: {path: {id: open.camera?.id ?? ''}}}))}
          onClose={close}
        />
      )}
    </Owners>
  );
}

function CameraRow({camera, onAct}: {camera: Camera; onAct: (act: 'edit' | 'delete') => void}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const test = useAct<undefined, CameraOutcome>(
    () => taken(client.POST('/api/v1/cameras/{id}/test', {params: {path: {id: camera.id}}})),
    [],
  );
  return (
    <Row
      name={camera.name}
      text={camera.stream_url}
      actions={[
        {id: 'edit', label: t('action.edit'), icon: 'edit', onAction: () => onAct('edit')},
        {id: 'delete', label: t('action.delete'), icon: 'trash', isDangerous: true, onAction: () => onAct('delete')},
      ]}
      main={
        <Button size="small" isPending={test.isPending} onPress={() => test.mutate(undefined)}>
          {t('keys.test')}
          <span className="only-read-out">{` ${camera.name}`}</span>
        </Button>
      }
      below={<CameraAnswer call={test} outcome={test.data} />}
    >
      <span className="key-facts">
        <span className="badge" data-kind={camera.active ? 'good' : undefined}>
          {t(camera.active ? 'keys.cameras.active' : 'keys.cameras.inactive')}
        </span>
        {camera.status === 'unreadable' && <StatusBadge status={camera.status} />}
        <span>{t(camera.password === null ? 'keys.cameras.open' : 'keys.cameras.locked')}</span>
      </span>
    </Row>
  );
}

function CameraAnswer({
  call,
  outcome,
}: {
  call: {readonly isPending: boolean; readonly error: unknown};
  outcome: CameraOutcome | undefined;
}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const sentence =
    outcome && explainCoded(outcome.ok ? 'keys.cameras.good' : 'keys.cameras.bad', outcome.message, texts);
  return (
    <CallOutcome call={call} busy={t('keys.cameras.testing')} fieldName={wordOf(t)}>
      {outcome !== undefined && (
        <Outcome
          kind={outcome.ok ? 'good' : 'bad'}
          details={
            <Details summary={t('action.details')}>
              <p className="hint">{t('keys.cameras.steps')}</p>
              {sentence !== outcome.message && <p className="hint">{outcome.message}</p>}
            </Details>
          }
        >
          {sentence}
        </Outcome>
      )}
    </CallOutcome>
  );
}

function wordOf(t: ReturnType<typeof useTexts>['t']): (field: string) => string | null {
  return (field) => {
    const name = WORDS[field];
    return name === undefined ? null : t(name);
  };
}

function CameraDialog({camera, onClose}: {camera: Camera | null; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const typed = useTyped(
    `camera ${camera?.id ?? ''}`,
    {
      name: camera?.name ?? '',
      url: camera?.stream_url ?? '',
      username: camera?.username ?? '',
      isActive: camera?.active ?? true,
    },
    // Passwords are also written into addresses.
    (fields) => without('url', fields),
  );
  const {name, url, username, isActive} = typed.values;
  const [password, setPassword] = useState('');
  const addOnce = useAddOnce(() => taken(client.GET('/api/v1/cameras')));
  const login = {
    stream_url: url.trim(),
    username: username.trim() === '' ? null : username.trim(),
    ...(password === '' ? {} : {password}),
  };
  const test = useAct<undefined, CameraOutcome>(() => taken(client.POST('/api/v1/cameras/test', {body: login})), []);
  const save = useAct<undefined>(
    () => {
      const body = {name: name.trim(), active: isActive, ...login};
      if (camera === null)
        return addOnce(
          (one) => one.name === body.name,
          () => taken(client.POST('/api/v1/cameras', {body})),
        );
      // Only what differs: a colleague's change of something else stays.
      const changes = changesOf({...camera, password: ''}, body);
      return taken(client.PATCH('/api/v1/cameras/{id}', {params: {path: {id: camera.id}}, body: changes}));
    },
    READS,
    onClose,
    typed,
  );
  const canSave = name.trim() !== '' && url.trim() !== '';
  return (
    <EditDialog
      title={t(camera === null ? 'keys.cameras.add' : 'keys.cameras.edit')}
      save={save}
      canSave={canSave}
      onClose={onClose}
      actions={
        <Button isDisabled={url.trim() === ''} isPending={test.isPending} onPress={() => test.mutate(undefined)}>
          {t('keys.test')}
        </Button>
      }
    >
      <RestoredNotice {...typed} />
      <TextField
        label={t('keys.cameras.name')}
        value={name}
        onChange={(given) => typed.change({name: given})}
        isRequired
        autoFocus
      />
      <TextField
        label={t('keys.cameras.url')}
        hint={t('keys.cameras.url.hint')}
        value={url}
        onChange={(given) => typed.change({url: given})}
        isRequired
        isMono
        spellCheck="false"
      />
      <div className="form-row">
        <TextField
          label={t('keys.cameras.username')}
          value={username}
          onChange={(given) => typed.change({username: given})}
          isOptional
          autoComplete="off"
        />
        <SecretField
          label={t('keys.cameras.password')}
          value={password}
          onChange={setPassword}
          isOptional
          {...(camera?.password == null ? {} : {hint: t('keys.cameras.password.kept')})}
        />
      </div>
      <Switch isSelected={isActive} onChange={(isOn) => typed.change({isActive: isOn})}>
        {t('keys.cameras.active')}
      </Switch>
      <CameraAnswer call={save.isError ? save : test} outcome={test.data} />
    </EditDialog>
  );
}
