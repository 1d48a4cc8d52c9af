/** A new vault key, with its progress. */
import {useQuery} from '@tanstack/react-query';
import type {ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import {Loaded} from '../../data/Loaded.js';
import {usePlatform} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Outcome, Section, momentText} from '../../kit/index.js';
import {useAct} from '../keys/queries.js';

const RUNNING = ['staged', 'rewrapping', 'drained'];
const LOOK_MS = 500;

export function RotationPart(): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const rotation = useQuery({
    queryKey: ['rotation'],
    staleTime: 0,
    queryFn: () => taken(client.GET('/api/v1/vault/rotation')),
    refetchInterval: ({state}) => (RUNNING.includes(state.data?.state ?? '') ? LOOK_MS : false),
  });
  const rotate = useAct<undefined>(() => taken(client.POST('/api/v1/vault/rotate')), ['rotation']);
  return (
    <Section title={t('vault.rotation')} text={t('vault.rotation.text')}>
      <Loaded query={rotation}>
        {({state, done, total, quarantined, finished_at: finishedAt}) => (
          <div className="rotation">
            {RUNNING.includes(state) ? (
              <div className="copying">
                <Outcome kind="busy">{t('vault.rotation.running', {done, total})}</Outcome>
                <progress value={done} max={Math.max(1, total)} aria-label={t('vault.rotation.progress')} />
              </div>
            ) : (
              <p className="section-text">
                {finishedAt === null
                  ? t('vault.rotation.never')
                  : `${t('vault.rotation.last', {time: momentText(finishedAt, texts)})} ${t('vault.rotation.done', {count: done})}`}{' '}
                {quarantined > 0 && t('vault.rotation.quarantined', {count: quarantined})}
              </p>
            )}
            <div className="form-actions">
              <Outcome kind={rotate.isError ? 'bad' : 'idle'}>
                {rotate.isError && explainError(rotate.error, texts)}
              </Outcome>
              <Button
                icon="refresh"
                isPending={rotate.isPending || RUNNING.includes(state)}
                onPress={() => rotate.mutate(undefined)}
              >
                {t('vault.rotation.start')}
              </Button>
            </div>
          </div>
        )}
      </Loaded>
    </Section>
  );
}
