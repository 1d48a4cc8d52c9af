/** Since when a standup asks, in the days of whoever looks. */

export type Period = 'today' | 'workday' | 'week';

const WEEK_DAYS = 7;

/** When the period began, as an instant that stays the same the whole day. */
export function startOf(period: Period, now: number): string {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const back = {today: 0, workday: sinceWorkday(midnight.getDay()), week: WEEK_DAYS}[period];
  midnight.setDate(midnight.getDate() - back);
  return midnight.toISOString();
}

/** How many days ago the working day before this weekday was (0 is Sunday). */
function sinceWorkday(day: number): number {
  if (day === 1) return 3;
  return day === 0 ? 2 : 1;
}
