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
  readonly args?: {readonly name?: string};
}

/** As browsers call what is felt. */
const LONG_TASK_MS = 50;

export interface ThreadWork {
  readonly count: number;
  readonly longestMs: number;
  /** How many took longer than is not felt. */
  readonly long: number;
}

/** The tasks of the page's main thread while `act` runs. */
export async function mainThreadOf(browser: Browser, page: Page, act: () => Promise<void>): Promise<ThreadWork> {
  await browser.startTracing(page, {categories: ['toplevel', '__metadata']});
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
  const took = traceEvents
    .filter((event) => event.ph === 'X' && event.name.endsWith('RunTask') && pages.has(threadOf(event)))
    .map(({dur = NaN, tdur = dur}) => Math.min(dur, tdur) / 1_000);
  return {
    count: took.length,
    longestMs: Math.round(Math.max(...took)),
    long: took.filter((ms) => ms > LONG_TASK_MS).length,
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
