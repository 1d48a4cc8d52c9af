/** Shows what was read; and while there is nothing, whether that is because nothing is there, or nothing can be read. */
import type {ReactNode} from 'react';
import {explainError} from '../i18n/explain.js';
import {useTexts} from '../i18n/index.js';
import {Button, Empty, Notice, Skeleton} from '../kit/index.js';
import {useSituation} from './situation.js';

export interface LoadedProps<T> {
  readonly query: {
    readonly data: T | undefined;
    readonly error: unknown;
    readonly fetchStatus: 'fetching' | 'paused' | 'idle';
    readonly refetch: () => unknown;
  };
  readonly children: (data: T) => ReactNode;
  readonly isEmpty?: (data: T) => boolean;
  readonly empty?: ReactNode;
  readonly skeleton?: ReactNode;
}

export function Loaded<T>({query, children, isEmpty, empty, skeleton}: LoadedProps<T>): ReactNode {
  const texts = useTexts();
  const {isReady} = useSituation();
  const {data, error, fetchStatus} = query;
  if (data !== undefined && isEmpty?.(data) !== true)
    return (
      <div className="loaded" data-stale={!isReady || undefined}>
        {children(data)}
      </div>
    );
  // Nothing is called empty while it cannot be asked: the person would begin to enter everything anew.
  if (!isReady || fetchStatus === 'paused') return <Waiting />;
  if (data !== undefined) return empty;
  if (error !== null && fetchStatus === 'idle')
    return (
      <Notice
        kind="bad"
        title={texts.t('data.failed')}
        actions={<Button onPress={() => void query.refetch()}>{texts.t('action.retry')}</Button>}
      >
        {explainError(error, texts)}
      </Notice>
    );
  return skeleton ?? <Skeleton label={texts.t('app.loading')} />;
}

function Waiting(): ReactNode {
  const {t} = useTexts();
  return (
    <Empty icon="clock" title={t('data.waiting')}>
      {t('data.waiting.text')}
    </Empty>
  );
}
