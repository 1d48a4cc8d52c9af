/** What is known about a key, without the key. */
import type {ReactNode} from 'react';
import {useTexts} from '../../i18n/index.js';
import {Ago, momentText} from '../../kit/index.js';
import type {KeyInfo} from './queries.js';

const GOOD = ['valid'];
const DOUBTFUL = ['limited_scope', 'no_quota', 'rate_limited', 'unreachable', 'provider_error', 'unknown'];
const BAD = ['invalid', 'expired', 'blocked', 'unreadable'];

export function StatusBadge({status}: {status: string | null}): ReactNode {
  const {t, find} = useTexts();
  const name = status ?? 'unchecked';
  const kind = GOOD.includes(name)
    ? 'good'
    : DOUBTFUL.includes(name)
      ? 'warning'
      : BAD.includes(name)
        ? 'bad'
        : undefined;
  return (
    <span className="badge" data-kind={kind}>
      {find(`keys.status.${name}`) ?? t('keys.status.unchecked')}
    </span>
  );
}

export function KeyState({info}: {info: Omit<KeyInfo, 'set'> & {readonly set: boolean}}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  if (!info.set) return <span className="key-facts">{t('keys.none')}</span>;
  const isChecked = info.last_validated_at !== null;
  return (
    <span className="key-facts">
      <code>{info.hint ?? '••••'}</code>
      <StatusBadge status={info.status === 'unknown' && !isChecked ? null : info.status} />
      {info.last_validated_at !== null && (
        <span>
          {t('keys.checked')} <Ago at={info.last_validated_at} />
        </span>
      )}
      {info.expires_at !== null && <span>{t('keys.expires.on', {date: momentText(info.expires_at, texts)})}</span>}
    </span>
  );
}
