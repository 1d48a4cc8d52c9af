/** What every dialog says of itself: what was typed before, and what became of a call. */
import type {ReactNode} from 'react';
import {explainError} from '../i18n/explain.js';
import {useTexts} from '../i18n/index.js';
import {Button, Notice, Outcome} from '../kit/index.js';

/** What was typed last time is there again; who does not want it starts afresh. */
export function RestoredNotice({
  wasRestored,
  discard,
}: {
  readonly wasRestored: boolean;
  readonly discard: () => void;
}): ReactNode {
  const {t} = useTexts();
  if (!wasRestored) return null;
  return (
    <Notice
      kind="info"
      actions={
        <Button size="small" look="quiet" onPress={discard}>
          {t('draft.discard')}
        </Button>
      }
    >
      {t('draft.restored')}
    </Notice>
  );
}

/** A call under way, why it was refused, or what it came to; nothing before. */
export function CallOutcome({
  call,
  busy,
  fieldName,
  afterError,
  children,
}: {
  readonly call: {readonly isPending: boolean; readonly error: unknown};
  /** Said while it is under way, if that is not said by a button. */
  readonly busy?: string;
  /** How a person calls a field that the sidecar names. */
  readonly fieldName?: (field: string) => string | null;
  /** Said after the reason. */
  readonly afterError?: ReactNode;
  /** One outcome: the answer. */
  readonly children?: ReactNode;
}): ReactNode {
  const texts = useTexts();
  if (call.isPending && busy !== undefined) return <Outcome kind="busy">{busy}</Outcome>;
  if (call.error !== null && call.error !== undefined)
    return (
      <Outcome kind="bad">
        {explainError(call.error, texts, fieldName)} {afterError}
      </Outcome>
    );
  return children === undefined || children === false ? <Outcome kind="idle" /> : children;
}
