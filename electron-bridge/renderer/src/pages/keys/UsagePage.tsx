/** What was asked of the providers, by owner and day. */
import {useMemo, useState, type ReactNode} from 'react';
import {taken} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import {Loaded} from '../../data/Loaded.js';
import {usePlatform} from '../../data/situation.js';
import {useTexts, type Texts} from '../../i18n/index.js';
import {Details, Empty, Section, Segments} from '../../kit/index.js';
import {useRead} from './queries.js';
import {daysOf, seriesOf, type Measure, type Series} from './usage.js';

type UsageItem = components['schemas']['UsageItem'];

const DAYS = 30;
const PAGE = 500;
const MOST_PAGES = 20;
const DAY_MS = 86_400_000;

export default function UsagePage(): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const [measure, setMeasure] = useState<Measure>('requests');
  const from = new Date(Date.now() - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  const usage = useRead(['usage', from], async () => {
    const items: UsageItem[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const query = {from, limit: PAGE, ...(cursor === null ? {} : {cursor})};
      const page: components['schemas']['UsagePage'] = await taken(client.GET('/api/v1/usage', {params: {query}}));
      items.push(...page.items);
      cursor = page.next_cursor;
      if (cursor === null) break;
    }
    return items;
  });
  return (
    <div className="column" data-wide="">
      <header className="page-head">
        <h1 className="page-title">{t('nav.usage')}</h1>
        <Segments
          label={t('usage.measure')}
          value={measure}
          onChange={setMeasure}
          options={[
            {id: 'requests', label: t('usage.requests')},
            {id: 'tokens', label: t('usage.tokens')},
          ]}
        />
      </header>
      <p className="section-text">{t('usage.text')}</p>
      <Loaded
        query={usage}
        isEmpty={(items) => items.length === 0}
        empty={
          <Empty icon="usage" title={t('usage.none')}>
            {t('usage.none.text')}
          </Empty>
        }
      >
        {(items) => <Usage items={items} measure={measure} from={from} />}
      </Loaded>
    </div>
  );
}

function Usage({items, measure, from}: {items: readonly UsageItem[]; measure: Measure; from: string}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const days = useMemo(() => daysOf(from, DAYS), [from]);
  const series = useMemo(() => seriesOf(items, measure, days), [items, measure, days]);
  const sum = (pick: (item: UsageItem) => number): number => items.reduce((total, item) => total + pick(item), 0);
  return (
    <>
      <Section
        title={t('usage.chart', {measure: t(`usage.${measure}`)})}
        text={t('usage.total', {
          days: DAYS,
          requests: sum(({requests}) => requests),
          tokens: sum((item) => item.input_tokens + item.output_tokens),
        })}
      >
        <Chart days={days} series={series} label={t('usage.chart', {measure: t(`usage.${measure}`)})} />
        <ul className="legend">
          {series.map((each, index) => (
            <li key={each.owner ?? ''}>
              <span className="legend-mark" data-series={index} />
              {nameOf(each, texts)}
            </li>
          ))}
        </ul>
      </Section>
      <Details summary={t('usage.table')}>
        <div className="table-frame" tabIndex={0} role="region" aria-label={t('usage.table')}>
          <table className="table">
            <thead>
              <tr>
                <th>{t('usage.day')}</th>
                <th>{t('usage.owner')}</th>
                <th>{t('usage.model')}</th>
                <th data-number="">{t('usage.requests')}</th>
                <th data-number="">{t('usage.in')}</th>
                <th data-number="">{t('usage.out')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <tr key={[item.day, item.owner_kind, item.owner_id, item.provider, item.model].join(' ')}>
                  <td>{dayText(item.day, texts)}</td>
                  <td>{ownerText(item.owner_kind, item.owner_id, texts)}</td>
                  <td>
                    {item.provider} {item.model}
                  </td>
                  <td data-number="">{new Intl.NumberFormat(texts.locale).format(item.requests)}</td>
                  <td data-number="">{new Intl.NumberFormat(texts.locale).format(item.input_tokens)}</td>
                  <td data-number="">{new Intl.NumberFormat(texts.locale).format(item.output_tokens)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Details>
    </>
  );
}

const WIDTH = 720;
const HEIGHT = 200;
const AXIS = 18;
const GAP = 3;

/** Stacked columns; the same numbers stand in the table below. */
function Chart({days, series, label}: {days: readonly string[]; series: readonly Series[]; label: string}): ReactNode {
  const texts = useTexts();
  const totals = days.map((_, at) => series.reduce((sum, {values}) => sum + (values[at] ?? 0), 0));
  const most = Math.max(1, ...totals);
  const step = WIDTH / days.length;
  const scale = (HEIGHT - AXIS - 16) / most;
  return (
    <svg className="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <line className="chart-axis" x1="0" x2={WIDTH} y1={HEIGHT - AXIS} y2={HEIGHT - AXIS} />
      <text className="chart-text" x="0" y="10">
        {new Intl.NumberFormat(texts.locale).format(most)}
      </text>
      {days.map((day, at) => {
        let top = HEIGHT - AXIS;
        return (
          <g key={day}>
            <title>{`${dayText(day, texts)}: ${new Intl.NumberFormat(texts.locale).format(totals[at] ?? 0)}`}</title>
            {series.map(({owner, values}, index) => {
              const height = (values[at] ?? 0) * scale;
              top -= height;
              return height === 0 ? null : (
                <rect
                  key={owner ?? ''}
                  data-series={index}
                  x={at * step + GAP / 2}
                  y={top}
                  width={step - GAP}
                  height={height}
                />
              );
            })}
            {at % 5 === 4 && (
              <text
                className="chart-text"
                x={at === days.length - 1 ? WIDTH : at * step + step / 2}
                y={HEIGHT - 4}
                textAnchor={at === days.length - 1 ? 'end' : 'middle'}
              >
                {dayText(day, texts)}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

function nameOf({owner, kind, id}: Series, texts: Texts): string {
  return owner === null ? texts.t('usage.others') : ownerText(kind, id, texts);
}

export function ownerText(kind: string, id: string, {find}: Pick<Texts, 'find'>): string {
  const word = find(`owner.${kind}`) ?? kind;
  return kind === 'system' ? word : `${word} ${id}`;
}

function dayText(day: string, {locale}: Texts): string {
  return new Intl.DateTimeFormat(locale, {day: 'numeric', month: 'short', timeZone: 'UTC'}).format(new Date(day));
}
