/** What a page costs, told so that a busy computer does not count: processor time, and memory after a collection. */
import type {Browser, CDPSession, Page} from 'playwright-core';

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds from its beginning to its end. */
  readonly dur?: number;
  /** The same without what others had of the processor meanwhile; not in all events. */
  readonly tdur?: number;
  /** Microseconds since some moment. */
  readonly ts: number;
  readonly args?: {readonly name?: string};
}

/** As browsers call what is felt. */
const LONG_TASK_MS = 50;

const MEASURE = 'taskflow-measure';

export interface ThreadWork {
  readonly count: number;
  readonly longestMs: number;
  /** How many took longer than is not felt on a computer of today that has nothing else to do. */
  readonly long: number;
  /** What the measure took here and now: work that is always the same. */
  readonly measureMs: number;
  /** How many took longer than so many measures, which says the same on every computer. */
  readonly longerThan: (measures: number) => number;
}

/** In the page: make 300 plain lines, in a task of its own. It takes about 10 ms on a computer of today. */
function measure(name: string): Promise<number> {
  return new Promise((resolve) => {
    setTimeout(() => {
      performance.mark(name);
      const begun = performance.now();
      const place = document.createElement('div');
      place.style.cssText = 'position: fixed; visibility: hidden; contain: strict; width: 900px; height: 900px';
      for (let line = 0; line < 300; line += 1) {
        const row = document.createElement('div');
        row.style.cssText = 'display: flex; gap: 4px; padding: 4px';
        for (const text of [String(line), `Line ${line} of what is always the same`, 'a word']) {
          const word = document.createElement('span');
          word.textContent = text;
          row.append(word);
        }
        place.append(row);
      }
      document.body.append(place);
      place.lastElementChild?.getBoundingClientRect();
      place.remove();
      resolve(Math.ceil(performance.now() - begun));
    });
  });
}

/** Milliseconds that the measure takes in this page now: what anything else takes is so many times as much. */
export async function takeMeasure(page: Page): Promise<number> {
  return page.evaluate(measure, MEASURE);
}

/** The tasks of the page's main thread while `act` runs, which is to take the measure now and then. */
export async function mainThreadOf(browser: Browser, page: Page, act: () => Promise<void>): Promise<ThreadWork> {
  await browser.startTracing(page, {categories: ['toplevel', 'blink.user_timing', '__metadata']});
  let trace: Buffer;
  try {
    await act();
  } finally {
    // Also when it failed: a browser has one trace at a time.
    trace = await browser.stopTracing();
  }
  const {traceEvents} = JSON.parse(trace.toString()) as {traceEvents: readonly TraceEvent[]};
  const threadOf = ({pid, tid}: TraceEvent): string => `${pid} ${tid}`;
  const pages = new Set(
    traceEvents
      .filter(({ph, name, args}) => ph === 'M' && name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(threadOf),
  );
  const marks = traceEvents.filter(({name}) => name === MEASURE).map(({ts}) => ts);
  const measures: number[] = [];
  const took: number[] = [];
  for (const event of traceEvents) {
    if (event.ph !== 'X' || !event.name.endsWith('RunTask') || !pages.has(threadOf(event))) continue;
    const {ts, dur = NaN, tdur = dur} = event;
    const isMeasure = marks.some((mark) => mark >= ts && mark <= ts + dur);
    (isMeasure ? measures : took).push(Math.min(dur, tdur) / 1_000);
  }
  const measureMs = measures.sort((one, other) => one - other)[Math.floor(measures.length / 2)] ?? NaN;
  return {
    count: took.length,
    longestMs: Math.round(Math.max(...took)),
    long: took.filter((ms) => ms > LONG_TASK_MS).length,
    measureMs: Math.round(measureMs),
    longerThan: (times) => took.filter((ms) => !(ms <= times * measureMs)).length,
  };
}

/** The memory of a page. */
export class Memory {
  readonly #session: CDPSession;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async of(page: Page): Promise<Memory> {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    return new Memory(session);
  }

  /** What is left after everything was collected that can be. */
  async used(): Promise<{heapBytes: number; nodes: number; listeners: number; text: string}> {
    // What a first collection sets free may hold more.
    for (let turn = 0; turn < 3; turn += 1) await this.#session.send('HeapProfiler.collectGarbage');
    const {metrics} = await this.#session.send('Performance.getMetrics');
    const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? NaN;
    const [heapBytes, nodes, listeners] = [of('JSHeapUsedSize'), of('Nodes'), of('JSEventListeners')];
    return {heapBytes, nodes, listeners, text: `${(heapBytes / 1e6).toFixed(2)} MB, ${nodes} nodes`};
  }
}
