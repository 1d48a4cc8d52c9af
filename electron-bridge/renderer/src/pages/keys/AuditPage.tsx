/** The audit log: what was done with which key, and whether the log is as it was written. */
import {useInfiniteQuery, useMutation} from '@tanstack/react-query';
import {useState, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {Loaded} from '../../data/Loaded.js';
import {usePlatform} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Empty, Outcome, Select, momentText} from '../../kit/index.js';
import {ownerText} from './UsagePage.js';

type AuditEntry = components['schemas']['AuditEntry'];
type Verification = components['schemas']['Verification'];

const PAGE = 50;
const ACTIONS = [
  'set',
  'replace',
  'reveal',
  'use',
  'validate',
  'rotate',
  'share',
  'expire',
  'delete',
  'unlock',
  'reset',
  'refused',
] as const;
const OWNERS = ['system', 'server', 'user', 'tenant', 'camera', 'alert_rule'] as const;
const ANY = 'any';

export default function AuditPage(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const [action, setAction] = useState<(typeof ACTIONS)[number] | typeof ANY>(ANY);
  const [owner, setOwner] = useState<(typeof OWNERS)[number] | typeof ANY>(ANY);
  const entries = useInfiniteQuery({
    queryKey: ['audit', action, owner],
    staleTime: 2_000,
    initialPageParam: null as string | null,
    queryFn: ({pageParam}) =>
      taken(
        client.GET('/api/v1/audit', {
          params: {
            query: {
              limit: PAGE,
              ...(action === ANY ? {} : {action}),
              ...(owner === ANY ? {} : {owner_kind: owner}),
              ...(pageParam === null ? {} : {cursor: pageParam}),
            },
          },
        }),
      ),
    getNextPageParam: ({next_cursor: next}) => next,
  });
  const all = entries.data?.pages.flatMap((page) => page.entries);
  return (
    <div className="column" data-wide="">
      <header className="page-head">
        <h1 className="page-title">{t('nav.audit')}</h1>
      </header>
      <p className="section-text">{t('audit.text')}</p>
      <VerifyChain />
      <div className="form-row">
        <Select
          label={t('audit.action')}
          value={action}
          onChange={setAction}
          options={[{id: ANY, label: t('audit.any')}, ...ACTIONS.map((id) => ({id, label: t(`audit.action.${id}`)}))]}
        />
        <Select
          label={t('audit.owner')}
          value={owner}
          onChange={setOwner}
          options={[{id: ANY, label: t('audit.any')}, ...OWNERS.map((id) => ({id, label: t(`owner.${id}`)}))]}
        />
      </div>
      <Loaded
        query={{...entries, data: all}}
        isEmpty={(found) => found.length === 0}
        empty={<Empty icon="audit" title={t(action === ANY && owner === ANY ? 'audit.none' : 'audit.none.filtered')} />}
      >
        {(found) => (
          <div>
            <Entries entries={found} />
            {entries.hasNextPage && (
              <div className="form-actions">
                <Button isPending={entries.isFetchingNextPage} onPress={() => void entries.fetchNextPage()}>
                  {t('audit.more')}
                </Button>
              </div>
            )}
          </div>
        )}
      </Loaded>
    </div>
  );
}

function Entries({entries}: {entries: readonly AuditEntry[]}): ReactNode {
  const texts = useTexts();
  const {t, find} = texts;
  return (
    <div className="table-frame" tabIndex={0} role="region" aria-label={t('nav.audit')}>
      <table className="table">
        <thead>
          <tr>
            <th>{t('audit.time')}</th>
            <th>{t('audit.action')}</th>
            <th>{t('audit.owner')}</th>
            <th>{t('audit.actor')}</th>
            <th>{t('audit.outcome')}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={`${entry.writer} ${entry.writer_seq}`}>
              <td className="tabular" data-whole="">
                {momentText(entry.time, texts)}
              </td>
              <td>
                {find(`audit.action.${entry.action}`) ?? entry.action}
                {entry.count > 1 && <span className="key-text"> {t('audit.count', {count: entry.count})}</span>}
              </td>
              <td>
                {entry.owner !== null && (
                  <span title={isUuid(entry.owner.id) ? entry.owner.id : undefined}>
                    {ownerText(entry.owner.kind, shortId(entry.owner.id), texts)}
                  </span>
                )}
                {entry.name !== null && (
                  <span className="key-text" translate="no">
                    {' '}
                    {entry.name}
                  </span>
                )}
              </td>
              <td data-whole="">
                {find(`audit.actor.${entry.actor}`) ?? entry.actor}
                <span className="key-text" translate="no">
                  {' '}
                  {entry.device}
                </span>
              </td>
              <td>
                <span className="badge" data-kind={entry.outcome === 'ok' ? 'good' : 'warning'}>
                  {find(`audit.outcome.${entry.outcome}`) ?? entry.outcome}
                </span>
                {entry.reason !== null && (
                  <span className="key-text"> {find(`audit.reason.${entry.reason}`) ?? entry.reason}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Enough to tell one from another; the whole one shows on hovering. */
function shortId(id: string): string {
  return isUuid(id) ? `${id.slice(0, 8)}…` : id;
}

function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(id);
}

function VerifyChain(): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const verify = useMutation({
    networkMode: 'always',
    mutationFn: () => taken(client.GET('/api/v1/audit/verify')),
  });
  return (
    <div className="verify">
      <Button icon="check" isPending={verify.isPending} onPress={() => verify.mutate()}>
        {t('audit.verify')}
      </Button>
      {verify.isPending ? (
        <Outcome kind="busy">{t('audit.verifying')}</Outcome>
      ) : verify.isError ? (
        <Outcome kind="bad">{explainError(verify.error, texts)}</Outcome>
      ) : verify.data === undefined ? (
        <Outcome kind="idle" />
      ) : (
        <Verdict verification={verify.data} />
      )}
    </div>
  );
}

function Verdict({verification}: {verification: Verification}): ReactNode {
  const {t, find} = useTexts();
  const {ok, entries, unchecked, problems} = verification;
  if (ok)
    return (
      <Outcome kind="good">
        {entries === 0 ? t('audit.good.none') : t('audit.good', {count: entries})}{' '}
        {unchecked > 0 && t('audit.unchecked', {count: unchecked})}
      </Outcome>
    );
  return (
    <Outcome
      kind="bad"
      details={
        <ul className="findings">
          {problems.map(({kind, seq}) => (
            <li key={`${kind} ${seq ?? ''}`}>
              {find(`audit.problem.${kind}`, {seq: seq ?? ''}) ?? t('audit.problem.other', {seq: seq ?? ''})}
            </li>
          ))}
        </ul>
      }
    >
      {t('audit.bad')}
    </Outcome>
  );
}
