/** Entering a key: tested with its provider before it is saved, and gone from the page afterwards. */
import {useMutation} from '@tanstack/react-query';
import {useState, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import {usePlatform} from '../../data/situation.js';
import {CallOutcome, RestoredNotice} from '../../forms/outcome.js';
import {useIsShown} from '../../forms/shown.js';
import {useTyped, type Typed} from '../../forms/typed.js';
import {explainCoded} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Dialog, Outcome, SecretField, TextField} from '../../kit/index.js';
import {endOf, type KeyTestResult, type ProviderName} from './queries.js';

const FEWEST_CHARS = 10;

export interface KeyDialogProps {
  /** Unique among all such dialogs. */
  readonly id: string;
  readonly title: string;
  readonly onClose: () => void;
  /** Whose key it is; the provider is asked before saving. Null where the sidecar asks by itself. */
  readonly provider: ProviderName;
  readonly isCheckedBySidecar?: boolean;
  /** Where a person gets such a key. */
  readonly keysUrl?: string | undefined;
  readonly hint?: string | null | undefined;
  readonly save: (key: string, expiresAt: string | undefined) => Promise<unknown>;
  /** More fields, before the key. */
  readonly children?: ReactNode;
  /** What was typed in those. */
  readonly more?: Pick<Typed<object>, 'wasRestored' | 'discard'>;
  readonly canSave?: boolean;
}

interface Tested {
  readonly key: string;
  readonly result: KeyTestResult;
}

export function KeyDialog(props: KeyDialogProps): ReactNode {
  const {
    id,
    title,
    onClose,
    provider,
    isCheckedBySidecar = false,
    keysUrl,
    hint,
    children,
    more,
    canSave = true,
  } = props;
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const [key, setKey] = useState('');
  const typed = useTyped(`key ${id}`, {day: ''});
  const {day} = typed.values;
  const [isShort, setShort] = useState(false);
  const isShown = useIsShown();

  const test = useMutation({
    networkMode: 'always',
    async mutationFn(given: string): Promise<Tested> {
      const result = await taken(client.POST('/api/v1/ai/test-key', {body: {provider, api_key: given}}));
      return {key: given, result};
    },
  });
  const save = useMutation({
    networkMode: 'always',
    async mutationFn({isSure}: {isSure: boolean}): Promise<boolean> {
      const given = key.trim();
      if (!isSure && !isCheckedBySidecar) {
        const isTested = test.data?.key === given;
        const {result} = isTested && test.data !== undefined ? test.data : await test.mutateAsync(given);
        if (result.valid !== true) return false;
      }
      await props.save(given, endOf(day));
      return true;
    },
    onSuccess(isSaved) {
      if (!isSaved) return;
      setKey('');
      typed.release();
      test.reset();
      if (isShown()) onClose();
    },
  });
  const isBusy = test.isPending || save.isPending;
  const checked = (act: () => void): void => {
    const isEnough = key.trim().length >= FEWEST_CHARS;
    setShort(!isEnough);
    if (isEnough && !isBusy) act();
  };
  const verdict = test.data?.key === key.trim() ? test.data.result : null;
  const wasRefused = save.data === false && verdict !== null;

  return (
    <Dialog
      title={title}
      isOpen
      onClose={onClose}
      actions={
        <>
          {wasRefused && verdict.valid === null && (
            <Button look="quiet" onPress={() => checked(() => save.mutate({isSure: true}))}>
              {t('keys.anyway')}
            </Button>
          )}
          <Button onPress={() => checked(() => test.mutate(key.trim()))} isPending={test.isPending && !save.isPending}>
            {t('keys.test')}
          </Button>
          <Button
            look="primary"
            isDisabled={!canSave}
            isPending={save.isPending}
            onPress={() => checked(() => save.mutate({isSure: false}))}
          >
            {t('action.save')}
          </Button>
        </>
      }
    >
      <form
        className="form"
        autoComplete="off"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (canSave) checked(() => save.mutate({isSure: false}));
        }}
      >
        <RestoredNotice
          wasRestored={typed.wasRestored || more?.wasRestored === true}
          discard={() => {
            typed.discard();
            more?.discard();
          }}
        />
        {children}
        <SecretField
          label={t('keys.key')}
          value={key}
          onChange={(given) => {
            setKey(given);
            setShort(false);
            if (save.status !== 'idle') save.reset();
          }}
          isRequired
          autoFocus={children === undefined}
          error={isShort ? t('keys.key.short') : undefined}
          hint={
            hint != null
              ? t('keys.key.kept', {hint})
              : keysUrl !== undefined
                ? t('keys.key.where', {address: keysUrl.replace(/^https:\/\//, '')})
                : undefined
          }
        />
        <TextField
          label={t('keys.expires')}
          hint={t('keys.expires.hint')}
          type="date"
          isOptional
          value={day}
          onChange={(given) => typed.change({day: given})}
        />
        <CallOutcome
          call={{isPending: isBusy, error: save.error ?? test.error}}
          busy={t(test.isPending ? 'keys.testing' : 'keys.saving')}
          afterError={save.error !== null && t('keys.refused')}
        >
          {verdict !== null && (
            <Outcome kind={verdict.valid === true ? 'good' : 'bad'}>
              {explainCoded(`keys.verdict.${verdict.status}`, verdict.message, texts)} {wasRefused && t('keys.refused')}
            </Outcome>
          )}
        </CallOutcome>
        {/* Enter in a field saves. */}
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}
