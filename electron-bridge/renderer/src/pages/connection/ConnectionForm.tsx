/** The form of the team's database: tested before it is saved, and nothing typed is lost when it is refused. */
import {useMutation, useQueryClient} from '@tanstack/react-query';
import {useState, type ReactNode, type SyntheticEvent} from 'react';
import {useWatch} from 'react-hook-form';
import {Refused, asError} from '../../client/failure.js';
import type {ConnectionInput, ConnectionTest, SavedConnection} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';
import {useDraft} from '../../forms/draft.js';
import {Select, TextField} from '../../forms/fields.js';
import {RestoredNotice} from '../../forms/outcome.js';
import {explainConnection} from '../../i18n/explain.js';
import {useTexts, type PlainName} from '../../i18n/index.js';
import {Button, Checkbox, Details, Facts, Outcome} from '../../kit/index.js';
import type {CopyOver} from './copying.js';
import {DsnField} from './DsnField.js';
import {EncryptionPart} from './EncryptionPart.js';
import {LoginPart} from './LoginPart.js';
import {SAVED, useLocalWork} from './queries.js';
import {NO_VALUES, bodyOf, valuesOf, type ConnectionValues} from './values.js';

const NAMES: Readonly<Record<string, PlainName>> = {
  host: 'connection.host',
  port: 'connection.port',
  database: 'connection.database',
  username: 'connection.username',
  password: 'connection.password',
  sslmode: 'connection.sslmode',
  sslrootcert: 'connection.sslrootcert',
  sslcert: 'connection.sslcert',
  sslkey: 'connection.sslkey',
  options: 'connection.options',
  krbsrvname: 'connection.krbsrvname',
};
/** What may be right although it does not work at the moment, such as behind a VPN. */
const MAY_WORK_LATER = new Set(['host-unresolved', 'connection-refused', 'connection-timeout', 'server-starting']);

type Act = 'test' | 'save' | 'save-anyway';

interface Attempt {
  readonly act: Act;
  readonly values: ConnectionValues;
}

export interface ConnectionFormProps {
  readonly saved: SavedConnection | null;
  readonly copy: CopyOver;
  readonly onSaved: () => void;
  readonly onCancel?: (() => void) | undefined;
}

export function ConnectionForm({saved, copy, onSaved, onCancel}: ConnectionFormProps): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const platform = usePlatform();
  const cache = useQueryClient();
  const local = useLocalWork();
  const [isCopied, setCopied] = useState(true);
  const draft = useDraft<ConnectionValues>('connection', valuesOf(saved), ['password']);
  const {form} = draft;
  const values = {...form.getValues(), ...useWatch({control: form.control})};
  const hasLocalWork = local !== null && local.tasks + local.members > 0;

  const test = async (body: ConnectionInput): Promise<ConnectionTest> => {
    const result = await platform.testConnection(body);
    if (!result.ok) throw asError(result.error);
    return result.value;
  };
  /** Save what works; with `anyway`, also what does not. What is taken along is read before the database changes. */
  const save = async (body: ConnectionInput, anyway: boolean): Promise<void> => {
    if (hasLocalWork && isCopied) await copy.read();
    const result = await platform.saveConnection(body, {test: !anyway});
    if (result.ok) {
      void copy.write();
      return;
    }
    copy.forget();
    throw asError(result.error);
  };
  const attempt = useMutation({
    networkMode: 'always',
    async mutationFn({act, values: given}: Attempt): Promise<ConnectionTest | null> {
      const body = bodyOf(given, saved);
      if (act === 'test') return test(body);
      await save(body, act === 'save-anyway');
      await cache.invalidateQueries({queryKey: SAVED});
      draft.reset({...given, password: ''});
      onSaved();
      return null;
    },
    onError(error) {
      const field = error instanceof Refused ? error.field : null;
      if (field !== null && field in values) form.setFocus(field as keyof ConnectionValues);
    },
  });
  const {reset: forgetAttempt} = attempt;
  const run = (act: Act): void => {
    if (attempt.isPending) return;
    void form.handleSubmit((given) => attempt.mutate({act, values: given}), forgetAttempt)();
  };
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    run('save');
  };
  const code = attempt.error instanceof Refused ? attempt.error.code : '';

  return (
    <form
      className="form"
      noValidate
      autoComplete="off"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        run('save');
      }}
    >
      <RestoredNotice wasRestored={draft.wasRestored} discard={() => draft.reset()} />
      <DsnField
        onFields={(fields) => {
          // Another server: what was chosen for the one before does not hold for it.
          const all = fields.host === undefined ? fields : {...NO_VALUES, ...fields};
          for (const [name, value] of Object.entries(all))
            form.setValue(name as keyof ConnectionValues, value, {shouldDirty: true, shouldValidate: false});
          form.clearErrors();
          forgetAttempt();
        }}
      />
      <div className="form-row" data-shape="wide-narrow">
        <TextField
          control={form.control}
          name="host"
          label={t('connection.host')}
          hint={t('connection.host.hint')}
          isRequired
          autoComplete="off"
          spellCheck="false"
        />
        <TextField control={form.control} name="port" label={t('connection.port')} isRequired inputMode="numeric" />
      </div>
      <div className="form-row">
        <TextField
          control={form.control}
          name="database"
          label={t('connection.database')}
          isRequired
          autoComplete="off"
          spellCheck="false"
        />
        <TextField
          control={form.control}
          name="username"
          label={t('connection.username')}
          isRequired
          autoComplete="off"
          spellCheck="false"
        />
      </div>
      <LoginPart form={form} values={values} saved={saved} />
      <EncryptionPart form={form} values={values} saved={saved} />
      <More form={form} />
      {hasLocalWork && (
        <fieldset className="fieldset">
          <legend className="label">{t('connection.copy')}</legend>
          <p className="section-text">
            {t('connection.copy.offer', {
              tasks: t('connection.copy.tasks', {count: local.tasks}),
              members: t('connection.copy.members', {count: local.members}),
            })}
          </p>
          <Checkbox isSelected={isCopied} onChange={setCopied}>
            {t('connection.copy.check')}
          </Checkbox>
          <p className="hint">{t('connection.copy.stay', {file: 'taskflow.db'})}</p>
        </fieldset>
      )}
      <div className="form-foot">
        <AttemptOutcome
          act={attempt.variables?.act ?? null}
          isPending={attempt.isPending}
          error={attempt.error}
          found={attempt.data ?? null}
          values={values}
        />
        <div className="form-actions">
          {attempt.isError && attempt.variables.act === 'save' && MAY_WORK_LATER.has(code) && (
            <Button look="quiet" onPress={() => run('save-anyway')}>
              {t('connection.anyway')}
            </Button>
          )}
          {onCancel !== undefined && <Button onPress={onCancel}>{t('action.cancel')}</Button>}
          <Button onPress={() => run('test')} isPending={attempt.isPending && attempt.variables.act === 'test'}>
            {t('connection.test')}
          </Button>
          <Button type="submit" look="primary" isPending={attempt.isPending && attempt.variables.act !== 'test'}>
            {t('action.save')}
          </Button>
        </div>
      </div>
    </form>
  );
}

/** What nearly nobody needs. */
function More({form}: {form: ReturnType<typeof useDraft<ConnectionValues>>['form']}): ReactNode {
  const {t} = useTexts();
  const {control} = form;
  return (
    <Details summary={t('connection.more')}>
      <div className="form-part">
        <div className="form-row">
          <Select
            control={control}
            name="target_session_attrs"
            label={t('connection.attrs')}
            placeholder={t('connection.attrs.any')}
            options={(['any', 'read-write', 'primary', 'standby', 'prefer-standby', 'read-only'] as const).map(
              (id) => ({
                id,
                label: t(`connection.attrs.${id}`),
              }),
            )}
          />
          <Select
            control={control}
            name="channel_binding"
            label={t('connection.binding')}
            placeholder={t('connection.binding.prefer')}
            options={(['prefer', 'require', 'disable'] as const).map((id) => ({
              id,
              label: t(`connection.binding.${id}`),
            }))}
          />
        </div>
        <TextField
          control={control}
          name="options"
          label={t('connection.options')}
          hint={t('connection.options.hint')}
          isOptional
          isMono
        />
      </div>
    </Details>
  );
}

/** That it works, with which server, and where the time goes. */
function Tested({found: {serverVersion, encryption, phases}}: {found: ConnectionTest}): ReactNode {
  const {t, locale} = useTexts();
  const time = (ms: number): string =>
    t('connection.tested.ms', {
      ms: new Intl.NumberFormat(locale, {maximumFractionDigits: ms < 10 ? 1 : 0}).format(ms),
    });
  const total = phases.reduce((sum, {ms}) => sum + ms, 0);
  const times = phases.map(({name, ms}): [string, string] => {
    const isPlainLogin = name === 'login' && encryption === null;
    return [t(isPlainLogin ? 'connection.phase.login.plain' : `connection.phase.${name}`), time(ms)];
  });
  return (
    <Outcome
      kind="good"
      details={
        <Facts
          shape="flow"
          facts={[
            [t('connection.fact.encryption'), encryption ?? t('connection.fact.open')],
            ...times,
            ...(times.length > 1 ? [[t('connection.phase.total'), time(total)] as const] : []),
          ]}
        />
      }
    >
      {serverVersion === null ? t('connection.tested') : t('connection.tested.server', {version: serverVersion})}
    </Outcome>
  );
}

function AttemptOutcome({
  act,
  isPending,
  error,
  found,
  values,
}: {
  act: Act | null;
  isPending: boolean;
  error: Error | null;
  found: ConnectionTest | null;
  values: ConnectionValues;
}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  if (act === null) return <Outcome kind="idle" />;
  if (isPending) return <Outcome kind="busy">{t(act === 'test' ? 'connection.testing' : 'connection.saving')}</Outcome>;
  if (error === null) {
    return found === null ? <Outcome kind="idle" /> : <Tested found={found} />;
  }
  const fieldName = (field: string): string | null => {
    const name = NAMES[field];
    return name === undefined ? null : t(name);
  };
  const {message, remedy} = explainConnection(error, texts, fieldName);
  const code = error instanceof Refused ? error.code : 'unreachable';
  return (
    <Outcome
      kind="bad"
      details={
        <Details summary={t('action.details')}>
          <Facts
            facts={[
              [t('strip.code'), <code key="code">{code}</code>],
              [t('connection.host'), `${values.host}:${values.port}`],
              [t('connection.database'), values.database],
              [t('connection.username'), values.username],
              [t('connection.auth'), t(`connection.auth.${values.auth}`)],
              [t('connection.fact.encryption'), <code key="mode">{values.sslmode}</code>],
            ]}
          />
        </Details>
      }
    >
      {message} {remedy} {act === 'test' ? '' : t('connection.failed.save')}
    </Outcome>
  );
}
