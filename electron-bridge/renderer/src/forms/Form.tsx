/** The frame of every form: Ctrl+Enter saves, a second click does nothing, and what happens is told where one looks. */
import type {ReactNode, SyntheticEvent} from 'react';
import type {FieldValues} from 'react-hook-form';
import {Refused} from '../client/failure.js';
import {useSituation} from '../data/situation.js';
import {explainError, explainProblem} from '../i18n/explain.js';
import {useTexts, type Texts} from '../i18n/index.js';
import {Button, Notice} from '../kit/index.js';
import type {Sending} from './create.js';
import type {Draft} from './draft.js';
import {RestoredNotice} from './outcome.js';

export interface FormProps<T extends FieldValues> {
  readonly draft: Draft<T>;
  readonly sending: Sending;
  readonly onSubmit: (values: T) => void;
  readonly children: ReactNode;
  readonly submitLabel: string;
  readonly onCancel?: () => void;
  /** How a person calls a field that the sidecar names. */
  readonly fieldName?: (field: string) => string | null;
  readonly extra?: ReactNode;
}

export function Form<T extends FieldValues>({
  draft,
  sending,
  onSubmit,
  children,
  submitLabel,
  onCancel,
  fieldName,
  extra,
}: FormProps<T>): ReactNode {
  const {t} = useTexts();
  const submit = (event?: SyntheticEvent): void => {
    event?.preventDefault();
    if (sending.state === 'idle') void draft.form.handleSubmit(onSubmit)();
  };
  return (
    <form
      className="form"
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        submit();
      }}
    >
      <RestoredNotice wasRestored={draft.wasRestored} discard={() => draft.reset()} />
      {children}
      {sending.state === 'idle' && <AwayNotice />}
      <SendingNotice sending={sending} fieldName={fieldName} />
      <div className="form-actions">
        {extra}
        {onCancel !== undefined && <Button onPress={onCancel}>{t('action.cancel')}</Button>}
        <Button type="submit" look="primary" isPending={sending.state !== 'idle'}>
          {submitLabel}
        </Button>
      </div>
    </form>
  );
}

function whyNot(reason: Refused, texts: Texts): string {
  return [explainError(reason, texts), texts.find(`problem.${reason.code}.remedy`)].filter(Boolean).join(' ');
}

/** The strip of the window is below a dialog's veil: who is typing there is told here that nothing is lost. */
function AwayNotice(): ReactNode {
  const texts = useTexts();
  const {isReady, problem, readyAt} = useSituation();
  if (isReady || readyAt === null) return null;
  const message = problem === null ? texts.t('strip.starting') : explainProblem(problem, texts).message;
  return (
    <Notice kind="warning" isAlert>
      {message} {texts.t('draft.away')}
    </Notice>
  );
}

/** What became of something that was sent: not yet, or why not. */
export function SendingNotice({
  sending,
  fieldName,
}: {
  readonly sending: Sending;
  readonly fieldName?: ((field: string) => string | null) | undefined;
}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  if (sending.state === 'waiting')
    return (
      <Notice kind="warning" isAlert>
        {t('draft.waiting')}
      </Notice>
    );
  if (sending.state === 'trying')
    return (
      <Notice kind="warning" isAlert>
        {t('draft.trying')} {sending.reason instanceof Refused && whyNot(sending.reason, texts)}
      </Notice>
    );
  if (sending.state === 'idle' && sending.error !== null && sending.error !== undefined)
    return (
      <Notice kind="bad" isAlert>
        {explainError(sending.error, texts, fieldName)}
      </Notice>
    );
  return null;
}
