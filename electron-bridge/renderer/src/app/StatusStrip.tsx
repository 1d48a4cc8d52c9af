/** On every page while the database cannot be used: what is wrong, what to do, who can, and when it is tried next. */
import {useMutation} from '@tanstack/react-query';
import type {ReactNode} from 'react';
import {asError} from '../client/failure.js';
import {useNow} from '../data/clock.js';
import {usePlatform, useSituation, type Situation} from '../data/situation.js';
import {explainProblem} from '../i18n/explain.js';
import {useTexts} from '../i18n/index.js';
import {Button, Details, Facts, Icon, Spinner, clockText, momentText, spanText} from '../kit/index.js';
import {ConnectionLink} from './ConnectionLink.js';
import {SupportBundle} from './SupportBundle.js';

/** Below this a wrong clock is nobody's business. */
const CLOCK_TOLERANCE_S = 60;
/** How long after its failover a lost history is still told. */
const HISTORY_MS = 7 * 86_400_000;

export interface StatusStripProps {
  /** The page below tells the same at length. */
  readonly isQuiet?: boolean;
}

export function StatusStrip({isQuiet = false}: StatusStripProps): ReactNode {
  const situation = useSituation();
  const {snapshot, isReady} = situation;
  if (snapshot === null) return null;
  if (isReady) return <Remarks />;
  if (isQuiet) return null;
  return <Trouble situation={situation} />;
}

function Trouble({situation}: {situation: Situation}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {problem, snapshot, readyAt} = situation;
  const explained = problem === null ? null : explainProblem(problem, texts);
  const kind = snapshot?.state.kind ?? 'starting';
  const isWorking = kind === 'starting' || kind === 'launching' || kind === 'restarting' || kind === 'reconnecting';
  const message = explained?.message ?? (kind === 'setup_required' ? t('strip.setup') : t('strip.starting'));
  return (
    <section className="strip" data-kind={isWorking ? 'waiting' : 'stopped'} aria-label={t('strip.label')}>
      {isWorking ? <Spinner /> : <Icon name="warning" />}
      <div className="strip-words">
        <p role="status" className="strip-message">
          <b>{message}</b> {explained?.remedy}
        </p>
        <p className="strip-facts">
          {problem !== null && <span>{t(`strip.who.${problem.who}`)}</span>}
          <NextTry situation={situation} />
          {readyAt !== null && <span>{t('strip.asOf', {time: clockText(readyAt, texts)})}</span>}
        </p>
      </div>
      <div className="strip-actions">
        {problem?.who === 'you' && problem.code !== 'unreachable' && (
          <ConnectionLink>{t('strip.openConnection')}</ConnectionLink>
        )}
        <TryNow />
        {problem !== null && (
          <Details summary={t('action.details')}>
            <ProblemFacts />
            <SupportBundle />
          </Details>
        )}
      </div>
    </section>
  );
}

/** When the next attempt is due, counted down. */
export function NextTry({situation}: {situation: Situation}): ReactNode {
  const texts = useTexts();
  const now = useNow();
  const wait = situation.problem?.next_retry_in_s ?? null;
  // Short pauses would only flicker.
  if (wait === null || wait < 2) return null;
  const left = Math.max(0, wait - (now - situation.receivedAt) / 1_000);
  return <span className="tabular">{texts.t('strip.next', {time: spanText(Math.ceil(left), texts)})}</span>;
}

/** Try the connection now; where the sidecar is gone, start it. */
export function TryNow({look = 'plain'}: {look?: 'plain' | 'primary'}): ReactNode {
  const {t} = useTexts();
  const platform = usePlatform();
  const {snapshot} = useSituation();
  const isGone = snapshot?.state.kind === 'failed' && snapshot.state.exit !== null;
  const attempt = useMutation({
    networkMode: 'always',
    async mutationFn() {
      const start = isGone ? platform.startAgain : null;
      const result = await (start === null ? platform.retry() : start());
      if (!result.ok) throw asError(result.error);
    },
  });
  return (
    <Button size="small" look={look} icon="refresh" isPending={attempt.isPending} onPress={() => attempt.mutate()}>
      {isGone ? t('startup.again') : attempt.isPending ? t('action.retrying') : t('action.retry')}
    </Button>
  );
}

/** What somebody needs who repairs it: safe facts, without any secret. */
export function ProblemFacts(): ReactNode {
  const texts = useTexts();
  const {problem} = useSituation();
  if (problem === null) return null;
  const details = (problem as {details?: Readonly<Record<string, unknown>> | null}).details ?? {};
  const facts = Object.entries(details).map(([name, value]) => [name, wordOf(value)] as const);
  return (
    <Facts
      facts={[
        [texts.t('strip.code'), <code key="code">{problem.code}</code>],
        ...facts,
        ...(problem.since === ''
          ? []
          : ([[texts.t('strip.since', {time: ''}), momentText(problem.since, texts)]] as const)),
      ]}
    />
  );
}

function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** What is worth knowing although everything works. */
function Remarks(): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const now = useNow(60_000);
  const database = useSituation().snapshot?.status?.database as {
    clock_offset_s?: number | null;
    history_lost_at?: string | null;
  } | null;
  const offset = Math.abs(database?.clock_offset_s ?? 0);
  const lostAt = database?.history_lost_at ?? null;
  return (
    <>
      {offset >= CLOCK_TOLERANCE_S && <Remark>{t('clock.off', {time: spanText(offset, texts)})}</Remark>}
      {lostAt !== null && now - Date.parse(lostAt) < HISTORY_MS && (
        <Remark>{t('history.lost', {time: momentText(lostAt, texts)})}</Remark>
      )}
    </>
  );
}

function Remark({children}: {children: ReactNode}): ReactNode {
  return (
    <section className="strip" data-kind="waiting">
      <Icon name="warning" />
      <p role="status" className="strip-message">
        {children}
      </p>
    </section>
  );
}
