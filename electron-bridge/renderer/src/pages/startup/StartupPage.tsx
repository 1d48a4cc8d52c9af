/** From nothing to ready, stage by stage; and when it does not get there, why, and what helps. */
import {useQuery} from '@tanstack/react-query';
import {useEffect, useRef, useState, type ReactNode} from 'react';
import {ConnectionLink} from '../../app/ConnectionLink.js';
import {NextTry, ProblemFacts, TryNow} from '../../app/StatusStrip.js';
import {SupportBundle} from '../../app/SupportBundle.js';
import {useNow} from '../../data/clock.js';
import {usePlatform, useSituation} from '../../data/situation.js';
import {taken} from '../../client/failure.js';
import type {Stage} from '../../client/platform.js';
import {explainError, explainProblem} from '../../i18n/explain.js';
import {useTexts, type PlainName} from '../../i18n/index.js';
import {Details, Facts, Icon, Notice, Spinner} from '../../kit/index.js';
import {lineText} from './line.js';

const STAGES: readonly Stage['name'][] = ['config', 'key', 'credentials', 'connect', 'migrate', 'ready'];

export default function StartupPage(): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const situation = useSituation();
  const {snapshot, problem} = situation;
  const kind = snapshot?.state.kind ?? 'launching';
  const explained = problem === null ? null : explainProblem(problem, texts);
  return (
    <div className="startup">
      <header className="startup-head" data-state={kind}>
        <span className="startup-mark">
          {kind === 'ready' ? <Icon name="check" /> : kind === 'failed' ? <Icon name="warning" /> : <Spinner />}
        </span>
        <div role="status">
          <h1 className="startup-title">{t(headingOf(kind, snapshot?.status == null && kind === 'failed'))}</h1>
          <p className="section-text">{whereText(situation, t)}</p>
        </div>
      </header>
      {snapshot?.status != null && <Stages stages={snapshot.status.stages} receivedAt={situation.receivedAt} />}
      {explained !== null && problem !== null && (
        <Notice
          kind={kind === 'failed' ? 'bad' : 'warning'}
          isAlert
          title={explained.message}
          actions={
            <>
              {problem.code !== 'unauthorized' && <TryNow look="primary" />}
              {problem.code !== 'unreachable' && problem.code !== 'unauthorized' && (
                <ConnectionLink>{t('startup.connection')}</ConnectionLink>
              )}
            </>
          }
        >
          <p>{explained.remedy}</p>
          <p className="notice-facts">
            <span>{t(`strip.who.${problem.who}`)}</span>
            <NextTry situation={situation} />
          </p>
          <Details summary={t('action.details')}>
            <ProblemFacts />
          </Details>
        </Notice>
      )}
      {kind === 'ready' && (
        <p>
          <ConnectionLink>{t('startup.connection')}</ConnectionLink>
        </p>
      )}
      <SupportBundle />
      <Log />
      {snapshot?.status != null && (
        <Details summary={t('action.details')}>
          <Facts
            facts={[
              [t('startup.version'), snapshot.status.version],
              [t('startup.folder'), <code key="folder">{snapshot.status.config_dir}</code>],
            ]}
          />
        </Details>
      )}
    </div>
  );
}

function headingOf(kind: string, isGone: boolean): PlainName {
  if (isGone) return 'startup.heading.gone';
  if (kind === 'ready') return 'startup.heading.ready';
  if (kind === 'setup_required') return 'startup.heading.setup';
  return kind === 'failed' || kind === 'reconnecting' ? 'startup.heading.failed' : 'startup.heading.starting';
}

function whereText({snapshot}: ReturnType<typeof useSituation>, t: ReturnType<typeof useTexts>['t']): string {
  const database = snapshot?.status?.database ?? null;
  if (database === null) return '';
  if (database.dialect === 'sqlite') return t('where.local');
  const version = database.server_version === null ? '' : `PostgreSQL ${database.server_version}`;
  return [database.database, database.host, version].filter(Boolean).join(' · ');
}

function Stages({stages, receivedAt}: {stages: readonly Stage[]; receivedAt: number}): ReactNode {
  const {t} = useTexts();
  return (
    <ol className="stages" aria-label={t('startup.stages')}>
      {STAGES.map((name) => (
        <StageItem key={name} name={name} stage={stages.find((stage) => stage.name === name)} receivedAt={receivedAt} />
      ))}
    </ol>
  );
}

function StageItem({
  name,
  stage,
  receivedAt,
}: {
  name: Stage['name'];
  stage: Stage | undefined;
  receivedAt: number;
}): ReactNode {
  const {t} = useTexts();
  const state = stage?.state ?? 'pending';
  return (
    <li className="stage-item" data-state={state}>
      <span className="stage-mark">
        {state === 'done' && <Icon name="check" />}
        {state === 'failed' && <Icon name="cross" />}
        {state === 'running' && <Spinner />}
      </span>
      <span className="stage-name">{t(`stage.${name}`)}</span>
      <span className="stage-facts">
        {stage?.message ?? (state === 'pending' || state === 'running' ? t(`stage.state.${state}`) : null)}
        {stage !== undefined && stage.attempt > 1 && <span>{t('stage.attempt', {count: stage.attempt})}</span>}
        {stage !== undefined && state !== 'pending' && <Elapsed stage={stage} receivedAt={receivedAt} />}
      </span>
      <span className="only-read-out">{t(`stage.state.${state}`)}</span>
    </li>
  );
}

/** What a stage took, or has taken so far. */
function Elapsed({stage, receivedAt}: {stage: Stage; receivedAt: number}): ReactNode {
  const {t, locale} = useTexts();
  const now = useNow();
  const ms = stage.state === 'running' ? stage.elapsed_ms + Math.max(0, now - receivedAt) : stage.elapsed_ms;
  const seconds = new Intl.NumberFormat(locale, {maximumFractionDigits: 1}).format(ms / 1_000);
  return (
    <span className="tabular">
      {ms < 1_000 ? t('startup.duration', {ms: Math.round(ms)}) : t('startup.seconds', {s: seconds})}
    </span>
  );
}

/** The last words of a sidecar that is gone; of one that runs, what it logs, as soon as somebody wants to see it. */
function Log(): ReactNode {
  const {t} = useTexts();
  const state = useSituation().snapshot?.state;
  const exit = state !== undefined && 'exit' in state ? state.exit : null;
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('startup.log')}</summary>
      <div className="details-body">{exit !== null ? <Lines lines={exit.logTail} /> : isOpen && <PresentLines />}</div>
    </details>
  );
}

const LOG_MS = 1_500;

function PresentLines(): ReactNode {
  const texts = useTexts();
  const {client} = usePlatform();
  const log = useQuery({
    queryKey: ['log'],
    networkMode: 'always',
    retry: false,
    staleTime: 0,
    gcTime: 0,
    refetchInterval: LOG_MS,
    queryFn: async () => (await taken(client.GET('/api/v1/settings/log'))).lines.map(lineText),
  });
  if (log.data !== undefined) return <Lines lines={log.data} />;
  return log.isError ? <p className="section-text">{explainError(log.error, texts)}</p> : <Spinner />;
}

function Lines({lines}: {lines: readonly string[]}): ReactNode {
  const {t} = useTexts();
  const end = useRef<HTMLPreElement>(null);
  const count = lines.length;
  useEffect(() => {
    end.current?.scrollTo({top: end.current.scrollHeight});
  }, [count]);
  return (
    <pre ref={end} className="log" tabIndex={0} aria-label={t('startup.log.label')}>
      {count === 0 ? t('startup.log.none') : lines.join('\n')}
    </pre>
  );
}
