/** Alert rules: where events go, with headers whose values nobody sees again. */
import type {ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';
import {changesOf} from '../../forms/save.js';
import {CallOutcome, RestoredNotice} from '../../forms/outcome.js';
import {useTyped, without} from '../../forms/typed.js';
import {useTexts, type PlainName} from '../../i18n/index.js';
import {Button, Checkbox, IconButton, Outcome, SecretField, Switch, TextField, useOpen} from '../../kit/index.js';
import {StatusBadge} from './KeyState.js';
import {EditDialog, Owners, Removal, Row} from './parts.js';
import {useAct, useAddOnce, useRead} from './queries.js';

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
  const {t} = useTexts();
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
        <CallOutcome call={send} busy={t('keys.alerts.sending')}>
          {send.data !== undefined && (
            <Outcome kind={send.data.delivered ? 'good' : 'bad'}>{deliveryText(send.data, t)}</Outcome>
          )}
        </CallOutcome>
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

interface RuleFields {
  readonly name: string;
  readonly url: string;
  readonly isPrivate: boolean;
  readonly isEnabled: boolean;
  readonly headers: readonly Header[];
}

/** Values of headers are secrets, and so are the addresses of many services: whoever knows one may post there. */
function withoutSecrets({headers, ...rest}: Partial<RuleFields>): Partial<RuleFields> {
  return {
    ...without('url', rest),
    ...(headers === undefined ? {} : {headers: headers.map((header) => ({...header, value: ''}))}),
  };
}

function RuleDialog({rule, onClose}: {rule: AlertRule | null; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const typed = useTyped<RuleFields>(
    `alert rule ${rule?.id ?? ''}`,
    {
      name: rule?.name ?? '',
      url: rule?.actions.webhook.url ?? '',
      isPrivate: rule?.actions.webhook.allow_private ?? false,
      isEnabled: rule?.enabled ?? true,
      headers: Object.entries(rule?.actions.webhook.headers ?? {}).map(([header, mask]) => ({
        name: header,
        mask,
        value: '',
      })),
    },
    withoutSecrets,
  );
  const {name, url, isPrivate, isEnabled, headers} = typed.values;
  const addOnce = useAddOnce(() => taken(client.GET('/api/v1/alert-rules')));
  const change = (index: number, changes: Partial<Header>): void =>
    typed.change({headers: headers.map((header, at) => (at === index ? {...header, ...changes} : header))});
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
        return addOnce(
          (one) => one.name === own.name,
          () =>
            taken(client.POST('/api/v1/alert-rules', {body: {...own, actions: {webhook: {...target, headers: sent}}}})),
        );
      // Only what differs: a colleague's change of something else stays. Headers are one thing: a mask keeps a value.
      const {webhook} = rule.actions;
      const areSame = JSON.stringify(Object.entries(sent)) === JSON.stringify(Object.entries(webhook.headers));
      const change = {...changesOf(webhook, target), ...(areSame ? {} : {headers: sent})};
      const body = {...changesOf(rule, own), ...(Object.keys(change).length === 0 ? {} : {actions: {webhook: change}})};
      return taken(client.PATCH('/api/v1/alert-rules/{id}', {params: {path: {id: rule.id}}, body}));
    },
    READS,
    onClose,
    typed,
  );
  const canSave = name.trim() !== '' && url.trim() !== '';
  return (
    <EditDialog
      title={t(rule === null ? 'keys.alerts.add' : 'keys.alerts.edit')}
      save={save}
      canSave={canSave}
      onClose={onClose}
    >
      <RestoredNotice {...typed} />
      <TextField
        label={t('keys.alerts.name')}
        value={name}
        onChange={(given) => typed.change({name: given})}
        isRequired
        autoFocus
      />
      <TextField
        label={t('keys.alerts.url')}
        {...(rule === null ? {} : {hint: t('keys.alerts.url.hint')})}
        value={url}
        onChange={(given) => typed.change({url: given})}
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
              onPress={() => typed.change({headers: headers.filter((_, at) => at !== index)})}
            />
          </div>
        ))}
        <Button
          size="small"
          icon="plus"
          onPress={() => typed.change({headers: [...headers, {name: '', mask: null, value: ''}]})}
        >
          {t('keys.alerts.header.add')}
        </Button>
      </fieldset>
      <Checkbox isSelected={isPrivate} onChange={(isOn) => typed.change({isPrivate: isOn})}>
        {t('keys.alerts.private')}
      </Checkbox>
      <Switch isSelected={isEnabled} onChange={(isOn) => typed.change({isEnabled: isOn})}>
        {t('keys.alerts.enabled')}
      </Switch>
      <CallOutcome
        call={save}
        fieldName={(field) => {
          const word = WORDS[field];
          return word === undefined ? null : t(word);
        }}
      />
    </EditDialog>
  );
}
