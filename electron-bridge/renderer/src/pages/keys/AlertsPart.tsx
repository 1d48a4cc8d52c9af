/** Alert rules: where events go, with headers whose values nobody sees again. */
import {useState, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';
import {changesOf} from '../../forms/save.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts, type PlainName} from '../../i18n/index.js';
import {Button, Checkbox, IconButton, Outcome, SecretField, Switch, TextField} from '../../kit/index.js';
import {StatusBadge} from './KeyState.js';
import {EditDialog, Owners, Removal, Row, useOpen} from './parts.js';
import {useAct, useRead} from './queries.js';

type AlertRule = components['schemas']['AlertRule'];
type Delivery = components['schemas']['Delivery'];

const READS = ['alert-rules'];
const WORDS: Readonly<Record<string, PlainName>> = {
  'name': 'keys.alerts.name',
  'actions.webhook.url': 'keys.alerts.url',
  'actions.webhook.headers': 'keys.alerts.headers',
};
const TEST_EVENT = {type: 'test'} as unknown as components['schemas']['TriggerBody']['event'];

export function AlertsPart(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const rules = useRead(READS, () => taken(client.GET('/api/v1/alert-rules')));
  const {open, show, close} = useOpen<{readonly act: 'edit' | 'delete'; readonly rule: AlertRule | null}>();
  return (
    <Owners
      title={t('keys.part.alerts')}
      text={t('keys.alerts.text')}
      query={rules}
      row={(rule) => <RuleRow key={rule.id} rule={rule} onAct={(act) => show({act, rule})} />}
      addLabel={t('keys.alerts.add')}
      onAdd={() => show({act: 'edit', rule: null})}
      icon="alert"
      none={t('keys.alerts.none')}
    >
      {open?.act === 'edit' && <RuleDialog rule={open.rule} onClose={close} />}
      {open?.act === 'delete' && open.rule !== null && (
        <Removal
          title={t('keys.alerts.delete.title', {owner: open.rule.name})}
          text={t('keys.alerts.delete.text')}
          label={t('action.delete')}
          reads={READS}
          act={() => taken(client.DELETE('/api/v1/alert-rules/{id}', {params: {path: {id: open.rule?.id ?? ''}}}))}
          onClose={close}
        />
      )}
    </Owners>
  );
}

function RuleRow({rule, onAct}: {rule: AlertRule; onAct: (act: 'edit' | 'delete') => void}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const {webhook} = rule.actions;
  const send = useAct<undefined, Delivery>(
    () =>
      taken(
        client.POST('/api/v1/alert-rules/{id}/trigger', {params: {path: {id: rule.id}}, body: {event: TEST_EVENT}}),
      ),
    [],
  );
  return (
    <Row
      name={rule.name}
      text={webhook.url}
      actions={[
        {id: 'edit', label: t('action.edit'), icon: 'edit', onAction: () => onAct('edit')},
        {id: 'delete', label: t('action.delete'), icon: 'trash', isDangerous: true, onAction: () => onAct('delete')},
      ]}
      main={
        <Button size="small" isPending={send.isPending} onPress={() => send.mutate(undefined)}>
          {t('keys.alerts.send')}
          <span className="only-read-out">{` ${rule.name}`}</span>
        </Button>
      }
      below={
        send.isPending ? (
          <Outcome kind="busy">{t('keys.alerts.sending')}</Outcome>
        ) : send.isError ? (
          <Outcome kind="bad">{explainError(send.error, texts)}</Outcome>
        ) : send.data !== undefined ? (
          <Outcome kind={send.data.delivered ? 'good' : 'bad'}>{deliveryText(send.data, t)}</Outcome>
        ) : (
          <Outcome kind="idle" />
        )
      }
    >
      <span className="key-facts">
        <span className="badge" data-kind={rule.enabled ? 'good' : undefined}>
          {t(rule.enabled ? 'keys.alerts.enabled' : 'keys.alerts.disabled')}
        </span>
        {webhook.status === 'unreadable' && <StatusBadge status={webhook.status} />}
        <span>{t('keys.alerts.headers.count', {count: Object.keys(webhook.headers).length})}</span>
      </span>
    </Row>
  );
}

function deliveryText(
  {delivered, status_code: status, attempts}: Delivery,
  t: ReturnType<typeof useTexts>['t'],
): string {
  if (delivered) return t('keys.alerts.delivered', {count: attempts, status: String(status ?? '')});
  if (status === null) return t('keys.alerts.undelivered', {count: attempts});
  return t('keys.alerts.undelivered.status', {count: attempts, status: String(status)});
}

interface Header {
  readonly name: string;
  /** As it is stored, masked; null for a new one. */
  readonly mask: string | null;
  readonly value: string;
}

function RuleDialog({rule, onClose}: {rule: AlertRule | null; onClose: () => void}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const [name, setName] = useState(rule?.name ?? '');
  const [url, setUrl] = useState(rule?.actions.webhook.url ?? '');
  const [isPrivate, setPrivate] = useState(rule?.actions.webhook.allow_private ?? false);
  const [isEnabled, setEnabled] = useState(rule?.enabled ?? true);
  const [headers, setHeaders] = useState<readonly Header[]>(() =>
    Object.entries(rule?.actions.webhook.headers ?? {}).map(([header, mask]) => ({name: header, mask, value: ''})),
  );
  const change = (index: number, changes: Partial<Header>): void =>
    setHeaders(headers.map((header, at) => (at === index ? {...header, ...changes} : header)));
  const save = useAct<undefined>(
    () => {
      const target = {url: url.trim(), allow_private: isPrivate};
      const sent = Object.fromEntries(
        headers
          .filter((header) => header.name.trim() !== '')
          .map((header) => [header.name.trim(), header.value === '' ? (header.mask ?? '') : header.value]),
      );
      const own = {name: name.trim(), enabled: isEnabled};
      if (rule === null)
        return taken(
          client.POST('/api/v1/alert-rules', {body: {...own, actions: {webhook: {...target, headers: sent}}}}),
        );
      // Only what differs: a colleague's change of something else stays. Headers are one thing: a mask keeps a value.
      const {webhook} = rule.actions;
      const areSame = JSON.stringify(Object.entries(sent)) === JSON.stringify(Object.entries(webhook.headers));
      const change = {...changesOf(webhook, target), ...(areSame ? {} : {headers: sent})};
      const body = {...changesOf(rule, own), ...(Object.keys(change).length === 0 ? {} : {actions: {webhook: change}})};
      return taken(client.PATCH('/api/v1/alert-rules/{id}', {params: {path: {id: rule.id}}, body}));
    },
    READS,
    () => {
      setHeaders([]);
      onClose();
    },
  );
  const canSave = name.trim() !== '' && url.trim() !== '';
  return (
    <EditDialog
      title={t(rule === null ? 'keys.alerts.add' : 'keys.alerts.edit')}
      save={save}
      canSave={canSave}
      onClose={onClose}
    >
      <TextField label={t('keys.alerts.name')} value={name} onChange={setName} isRequired autoFocus />
      <TextField
        label={t('keys.alerts.url')}
        {...(rule === null ? {} : {hint: t('keys.alerts.url.hint')})}
        value={url}
        onChange={setUrl}
        isRequired
        isMono
        spellCheck="false"
      />
      <fieldset className="fieldset">
        <legend className="label">{t('keys.alerts.headers')}</legend>
        {headers.map((header, index) => (
          <div key={index} className="header-row">
            <TextField
              label={t('keys.alerts.header')}
              value={header.name}
              onChange={(given) => change(index, {name: given})}
              isReadOnly={header.mask !== null}
              isMono
            />
            <SecretField
              label={t('keys.alerts.value')}
              value={header.value}
              onChange={(given) => change(index, {value: given})}
              {...(header.mask === null ? {} : {placeholder: header.mask})}
            />
            <IconButton
              icon="trash"
              label={t('keys.alerts.header.remove')}
              onPress={() => setHeaders(headers.filter((_, at) => at !== index))}
            />
          </div>
        ))}
        <Button size="small" icon="plus" onPress={() => setHeaders([...headers, {name: '', mask: null, value: ''}])}>
          {t('keys.alerts.header.add')}
        </Button>
      </fieldset>
      <Checkbox isSelected={isPrivate} onChange={setPrivate}>
        {t('keys.alerts.private')}
      </Checkbox>
      <Switch isSelected={isEnabled} onChange={setEnabled}>
        {t('keys.alerts.enabled')}
      </Switch>
      <Outcome kind={save.isError ? 'bad' : 'idle'}>
        {save.isError &&
          explainError(save.error, texts, (field) => {
            const word = WORDS[field];
            return word === undefined ? null : t(word);
          })}
      </Outcome>
    </EditDialog>
  );
}
