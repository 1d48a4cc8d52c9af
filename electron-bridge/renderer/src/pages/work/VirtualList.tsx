/**
 * A long list of which only what is seen is there. One row takes the focus; the arrow keys move it, and it stays where
 * it was when the rows change around it, and when one comes back from another page.
 */
import {
  defaultRangeExtractor,
  useVirtualizer,
  type Range,
  type VirtualItem,
  type Virtualizer,
} from '@tanstack/react-virtual';
import {
  memo,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from 'react';
import {flushSync} from 'react-dom';
import {Spinner} from '../../kit/index.js';

export interface Row {
  readonly id: string;
  readonly content: (isActive: boolean) => ReactNode;
  /** Pixels with letters of the usual size; about, because what a row really takes is measured. */
  readonly height: number;
  /** It takes just its height, whatever is in it: nothing needs to be measured. */
  readonly isFixed?: boolean;
  /** Headings are passed over by the keyboard. */
  readonly isHeading?: boolean;
}

export interface VirtualListProps {
  readonly label: string;
  readonly rows: readonly Row[];
  /** Remembered under this name: where it was scrolled to and which row had the focus. */
  readonly name: string;
  readonly onEnd?: (() => void) | undefined;
  /** Whether more is on its way, which is shown after the last row. */
  readonly isReading?: boolean;
  readonly onKey?: (event: KeyboardEvent, id: string) => void;
  /** A row that is to get the focus as soon as it is there. */
  readonly wantsFocus?: string | null | undefined;
}

interface Remembered {
  readonly offset: number;
  readonly sizes: VirtualItem[];
  readonly active: string | null;
  readonly hadFocus: boolean;
}

const MOST_REMEMBERED = 50;
const NEAR_END = 30;
/** Rows that are made in one frame: no computer is so slow that this many are felt. The others follow. */
const MADE_AT_ONCE = 12;
const USUAL_LETTERS_PX = 16;
const remembered = new Map<string, Remembered>();

function remember(name: string, what: Remembered): void {
  remembered.delete(name);
  remembered.set(name, what);
  const [oldest] = remembered.keys();
  if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
}

export const VirtualList = memo(function VirtualList({
  label,
  rows,
  name,
  onEnd,
  isReading = false,
  onKey,
  wantsFocus,
}: VirtualListProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const [before] = useState(() => remembered.get(name));
  const [active, setActive] = useState(before?.active ?? null);
  const hasFocus = useRef(false);
  const places = useMemo(() => new Map(rows.map(({id}, index) => [id, index])), [rows]);
  const firstRow = rows.findIndex(({isHeading}) => isHeading !== true);
  const activeIndex = (active === null ? undefined : places.get(active)) ?? firstRow;
  const lastIndex = useRef(activeIndex);

  const rangeExtractor = useCallback(
    (range: Range) => {
      const seen = defaultRangeExtractor(range);
      // What has the focus stays there, wherever it is scrolled to.
      if (activeIndex < 0 || seen.includes(activeIndex)) return seen;
      return [...seen, activeIndex].sort((one, other) => one - other);
    },
    [activeIndex],
  );
  const [letters] = useState(() => parseFloat(getComputedStyle(document.documentElement).fontSize) / USUAL_LETTERS_PX);
  // Another function would have all places counted anew, each time that something is scrolled.
  const estimateSize = useCallback((index: number) => (rows[index]?.height ?? 44) * letters, [rows, letters]);
  const getItemKey = useCallback(
    (index: number) => {
      const row = rows[index];
      // What was measured of a row says nothing once it takes a fixed height.
      return row === undefined ? index : row.isFixed === true ? row.id : `measured ${row.id}`;
    },
    [rows],
  );
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize,
    getItemKey,
    overscan: 8,
    initialOffset: before?.offset ?? 0,
    initialMeasurementsCache: before?.sizes ?? [],
    rangeExtractor,
  });
  const items = virtualizer.getVirtualItems();
  const idOf = useCallback((index: number) => rows[index]?.id ?? '', [rows]);
  const shown = useFewAtOnce(items, virtualizer.range, activeIndex, idOf);

  const focusOn = useCallback(
    (index: number) => {
      const row = rows[index];
      if (row === undefined) return;
      flushSync(() => setActive(row.id));
      virtualizer.scrollToIndex(index, {align: 'auto'});
      scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"] a`)?.focus({preventScroll: true});
    },
    [rows, virtualizer],
  );

  useRemembering(name, virtualizer, active, hasFocus);
  useLayoutEffect(() => {
    // The page takes the focus when it is opened; the row that had it gets it back after that.
    if (before?.hadFocus !== true || before.active === null) return;
    const frame = requestAnimationFrame(() => {
      if (scroller.current?.contains(document.activeElement) === true) return;
      scroller.current?.querySelector<HTMLElement>('a[tabindex="0"]')?.focus({preventScroll: true});
    });
    return () => cancelAnimationFrame(frame);
  }, [before]);

  useEffect(() => {
    const isGone = active !== null && !places.has(active);
    if (isGone && hasFocus.current) {
      // A colleague took the row away; the focus goes to the one that took its place.
      focusOn(Math.max(firstRow, Math.min(lastIndex.current, rows.length - 1)));
    } else if (!isGone) lastIndex.current = activeIndex;
  }, [places, active, activeIndex, rows.length, firstRow, focusOn]);

  const wantedPlace = wantsFocus === null || wantsFocus === undefined ? undefined : places.get(wantsFocus);
  const given = useRef<string | null>(null);
  useEffect(() => {
    if (wantedPlace === undefined || wantsFocus === undefined || given.current === wantsFocus) return;
    given.current = wantsFocus;
    if (document.activeElement?.closest('input, textarea, [data-overlay]') == null) focusOn(wantedPlace);
  }, [wantedPlace, wantsFocus, focusOn]);

  const end = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (rows.length > 0 && end >= rows.length - NEAR_END) onEnd?.();
  }, [end, rows.length, onEnd]);

  const move = (event: KeyboardEvent): void => {
    if (active !== null || firstRow >= 0) onKey?.(event, rows[activeIndex]?.id ?? '');
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = {ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity}[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const wanted = Math.max(firstRow, Math.min(rows.length - 1, activeIndex + step));
    const passed = rows[wanted]?.isHeading === true ? wanted + Math.sign(step) : wanted;
    focusOn(Math.max(firstRow, Math.min(rows.length - 1, passed)));
  };

  return (
    <div
      ref={scroller}
      className="virtual"
      onFocus={(event) => {
        hasFocus.current = true;
        const index = event.target.closest('[data-index]')?.getAttribute('data-index');
        const id = rows[Number(index ?? -1)]?.id;
        if (id !== undefined) setActive(id);
      }}
      onBlur={() => {
        hasFocus.current = false;
      }}
      onKeyDown={move}
    >
      <div role="list" aria-label={label} className="virtual-rows" style={{height: virtualizer.getTotalSize()}}>
        {shown.map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          return (
            <div
              key={row.id}
              role="listitem"
              data-index={item.index}
              ref={row.isFixed === true ? undefined : virtualizer.measureElement}
              className="virtual-row"
              data-fixed={row.isFixed === true || undefined}
              style={{
                transform: `translateY(${item.start}px)`,
                height: row.isFixed === true ? item.size : undefined,
              }}
            >
              {row.content(item.index === activeIndex)}
            </div>
          );
        })}
      </div>
      {isReading && <Spinner />}
    </div>
  );
});

/**
 * Of the rows that are wanted those that are there already, and a few more: what has the focus, what is seen, what is
 * around it. However far is scrolled in one go, no frame takes long.
 */
function useFewAtOnce(
  wanted: readonly VirtualItem[],
  seen: {readonly startIndex: number; readonly endIndex: number} | null,
  activeIndex: number,
  idOf: (index: number) => string,
): readonly VirtualItem[] {
  const [made] = useState(() => ({ids: new Set<string>()}));
  const [, again] = useReducer((turn: number) => turn + 1, 0);
  const urgency = ({index}: VirtualItem): number => {
    if (index === activeIndex) return 0;
    return seen !== null && index >= seen.startIndex && index <= seen.endIndex ? 1 : 2;
  };
  const missing = wanted.filter(({index}) => !made.ids.has(idOf(index)));
  const later = new Set(missing.sort((one, other) => urgency(one) - urgency(other)).slice(MADE_AT_ONCE));
  const shown = later.size === 0 ? wanted : wanted.filter((item) => !later.has(item));
  const isWhole = later.size === 0;
  useLayoutEffect(() => {
    made.ids = new Set(shown.map(({index}) => idOf(index)));
    if (isWhole) return;
    // The first may belong to the frame that this is a part of.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => flushSync(again));
    });
    return () => cancelAnimationFrame(frame);
  });
  return shown;
}

function useRemembering(
  name: string,
  virtualizer: Virtualizer<HTMLDivElement, Element>,
  active: string | null,
  hasFocus: {readonly current: boolean},
): void {
  const latest = useRef({virtualizer, active});
  useEffect(() => {
    latest.current = {virtualizer, active};
  });
  // Before the elements go, and with them the focus and the place.
  useLayoutEffect(
    () => () => {
      const {virtualizer: list, active: last} = latest.current;
      const offset = list.scrollOffset ?? 0;
      remember(name, {offset, sizes: list.takeSnapshot(), active: last, hadFocus: hasFocus.current});
    },
    [name, hasFocus],
  );
}
