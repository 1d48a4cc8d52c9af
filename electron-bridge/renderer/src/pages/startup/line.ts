/** A line of the sidecar's log, which is JSON, as people read logs. */

const ALWAYS = ['time', 'level', 'logger', 'message'] as const;

export function lineText(line: string): string {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return line;
  const {time = '', level = '', message = '', ...rest} = entry as Readonly<Record<string, unknown>>;
  const facts = Object.entries(rest)
    .filter(([name, value]) => !ALWAYS.some((each) => each === name) && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [clock(String(time)), String(level).padEnd(7), String(message), ...facts].join(' ').trim();
}

/** The part of an instant that differs from line to line. */
function clock(time: string): string {
  return /T(\d\d:\d\d:\d\d(?:\.\d{1,3})?)/.exec(time)?.[1] ?? time;
}
