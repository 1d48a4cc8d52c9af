/** How taking the work of this computer along is going. */
import type {ReactNode} from 'react';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Notice, Outcome} from '../../kit/index.js';
import {useCopying, type CopyOver} from './copying.js';

export function CopyNotice({copy}: {copy: CopyOver}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const copying = useCopying(copy);
  if (copying.step === 'idle') return null;
  if (copying.step === 'failed')
    return (
      <Notice
        kind="bad"
        isAlert
        title={t('connection.copy.failed')}
        {...(copy.canBeRepeated
          ? {
              actions: (
                <Button size="small" onPress={() => void copy.write()}>
                  {t('connection.copy.again')}
                </Button>
              ),
            }
          : {})}
      >
        {explainError(copying.error, texts)}
      </Notice>
    );
  if (copying.step === 'done') {
    const {tasks, members} = copying.imported;
    return (
      <Notice kind="good" isAlert>
        {tasks + members === 0
          ? t('connection.copy.nothing')
          : t('connection.copy.done', {
              tasks: t('connection.copy.tasks', {count: tasks}),
              members: t('connection.copy.members', {count: members}),
            })}
      </Notice>
    );
  }
  return (
    <div className="copying">
      <Outcome kind="busy">{t(`connection.copy.${copying.step}`)}</Outcome>
      {copying.step === 'writing' && copying.of > 0 && (
        <div className="copying-progress">
          <progress value={copying.done} max={copying.of} aria-label={t('connection.copy.writing')} />
          <span className="tabular">{t('connection.copy.progress', {done: copying.done, of: copying.of})}</span>
        </div>
      )}
    </div>
  );
}
