/** Times as people say them, kept true while one looks. */
import type {ReactNode} from 'react';
import {useNow} from '../data/clock.js';
import {useTexts, type Texts} from '../i18n/index.js';

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Making one takes longer than using it, and a list uses hundreds. */
function kept<F>(make: (locale: string) => F): (locale: string) => F {
  const made = new Map<string, F>();
  return (locale) => {
    const known = made.get(locale) ?? make(locale);
    made.set(locale, known);
    return known;
  };
}

const moments = kept((locale) => new Intl.DateTimeFormat(locale, {dateStyle: 'medium', timeStyle: 'short'}));
const days = kept((locale) => new Intl.DateTimeFormat(locale, {dateStyle: 'medium'}));
const clocks = kept((locale) => new Intl.DateTimeFormat(locale, {timeStyle: 'short'}));
const distances = kept((locale) => new Intl.RelativeTimeFormat(locale, {numeric: 'auto', style: 'short'}));

/** A length of time in its largest whole unit. */
export function spanText(seconds: number, {t}: Pick<Texts, 't'>): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < MINUTE_S) return t('time.seconds', {count: s});
  if (s < HOUR_S) return t('time.minutes', {count: Math.floor(s / MINUTE_S)});
  if (s < DAY_S) return t('time.hours', {count: Math.floor(s / HOUR_S)});
  return t('time.days', {count: Math.floor(s / DAY_S)});
}

export function momentText(at: string | number, {locale}: Pick<Texts, 'locale'>): string {
  return moments(locale).format(new Date(at));
}

export function dateText(at: string | number, {locale}: Pick<Texts, 'locale'>): string {
  return days(locale).format(new Date(at));
}

export function clockText(at: string | number, {locale}: Pick<Texts, 'locale'>): string {
  return clocks(locale).format(new Date(at));
}

/** How long ago: "3 hours ago" in the person's language; the whole date shows on hovering. */
export function Ago({
  at,
  className,
  spokenBefore,
}: {
  readonly at: string;
  readonly className?: string;
  /** Read out before it, where its place alone says to the eye what happened then. */
  readonly spokenBefore?: string;
}): ReactNode {
  const texts = useTexts();
  const text = agoText((useNow(10_000) - Date.parse(at)) / 1_000, texts);
  return (
    <time
      dateTime={at}
      title={momentText(at, texts)}
      className={className}
      aria-label={spokenBefore === undefined ? undefined : `${spokenBefore} ${text}`}
    >
      {text}
    </time>
  );
}

/** How long something has lasted. */
export function Since({at}: {readonly at: string}): ReactNode {
  const texts = useTexts();
  const seconds = (useNow(10_000) - Date.parse(at)) / 1_000;
  return (
    <time dateTime={at} title={momentText(at, texts)}>
      {seconds < MINUTE_S ? texts.t('time.moment') : spanText(seconds, texts)}
    </time>
  );
}

function agoText(seconds: number, {t, locale}: Texts): string {
  const relative = distances(locale);
  if (seconds < 30) return t('time.now');
  if (seconds < HOUR_S) return relative.format(-Math.max(1, Math.round(seconds / MINUTE_S)), 'minute');
  if (seconds < DAY_S) return relative.format(-Math.round(seconds / HOUR_S), 'hour');
  if (seconds < 30 * DAY_S) return relative.format(-Math.round(seconds / DAY_S), 'day');
  return relative.format(-Math.round(seconds / (30 * DAY_S)), 'month');
}
