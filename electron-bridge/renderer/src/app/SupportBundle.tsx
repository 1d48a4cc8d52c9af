/** An archive for whoever helps this person, where people look for it: at the start, and beside a problem. */
import {useMutation} from '@tanstack/react-query';
import type {ReactNode} from 'react';
import {asError, Unreachable} from '../client/failure.js';
import {usePlatform} from '../data/situation.js';
import {explainError} from '../i18n/explain.js';
import {useTexts} from '../i18n/index.js';
import {Button, Outcome} from '../kit/index.js';

/** What does the same when no sidecar answers. */
const COMMAND = 'taskflow-sidecar doctor --bundle support.zip';

export function SupportBundle(): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const platform = usePlatform();
  const save = useMutation({
    networkMode: 'always',
    async mutationFn() {
      const result = await platform.saveSupportBundle();
      if (!result.ok) throw asError(result.error);
      return result.value;
    },
  });
  return (
    <div className="support">
      <Button size="small" icon="download" isPending={save.isPending} onPress={() => save.mutate()}>
        {t('support.save')}
      </Button>
      {save.isPending ? (
        <Outcome kind="busy">{t('support.saving')}</Outcome>
      ) : save.error instanceof Unreachable ? (
        <Outcome kind="bad">
          {t('support.gone')} <code>{COMMAND}</code>
        </Outcome>
      ) : save.isError ? (
        <Outcome kind="bad">{explainError(save.error, texts)}</Outcome>
      ) : save.data === true ? (
        <Outcome kind="good">{t('support.saved')}</Outcome>
      ) : (
        <p className="hint">{t('support.text')}</p>
      )}
    </div>
  );
}
