/** Numbers of the gateway, put together for a chart. */
import type {components} from '../../client/platform.js';

type UsageItem = components['schemas']['UsageItem'];
export type Measure = 'requests' | 'tokens';

export interface Series {
  /** Null for all that have no series of their own. */
  readonly owner: string | null;
  readonly kind: string;
  readonly id: string;
  /** One number a day. */
  readonly values: readonly number[];
}

/** So many owners can be told apart by colour. */
const MOST_SERIES = 5;
const DAY_MS = 86_400_000;

/** Days of the calendar, `2030-01-31`, the first one given. */
export function daysOf(from: string, count: number): readonly string[] {
  const first = Date.parse(`${from}T00:00:00Z`);
  return Array.from({length: count}, (_, index) => new Date(first + index * DAY_MS).toISOString().slice(0, 10));
}

/** One series for each of the owners that use most, the others together. */
export function seriesOf(items: readonly UsageItem[], measure: Measure, days: readonly string[]): readonly Series[] {
  const place = new Map(days.map((day, index) => [day, index]));
  const found = new Map<string, Series & {readonly values: number[]; total: number}>();
  for (const item of items) {
    const at = place.get(item.day);
    if (at === undefined) continue;
    const owner = `${item.owner_kind} ${item.owner_id}`;
    const one = found.get(owner) ?? {
      ...{owner, kind: item.owner_kind, id: item.owner_id},
      values: days.map(() => 0),
      total: 0,
    };
    const amount = measure === 'requests' ? item.requests : item.input_tokens + item.output_tokens;
    one.values[at] = (one.values[at] ?? 0) + amount;
    one.total += amount;
    found.set(owner, one);
  }
  const sorted = [...found.values()].sort((a, b) => b.total - a.total);
  const own = sorted.slice(0, MOST_SERIES).map(({owner, kind, id, values}) => ({owner, kind, id, values}));
  const rest = sorted.slice(MOST_SERIES);
  if (rest.length === 0) return own;
  const values = days.map((_, at) => rest.reduce((sum, each) => sum + (each.values[at] ?? 0), 0));
  return [...own, {owner: null, kind: '', id: '', values}];
}
