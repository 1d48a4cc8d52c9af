/** Keys that work on the whole page. Typing in a field is never taken for one. */
import {createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode} from 'react';
import {go} from './router.js';

/** What a page does on `/` and `N`. */
export interface PageKeys {
  readonly search?: () => void;
  readonly add?: () => void;
}

interface Shortcuts {
  readonly isHelpOpen: boolean;
  readonly setHelpOpen: (isOpen: boolean) => void;
  readonly offer: (keys: PageKeys) => () => void;
}

const Context = createContext<Shortcuts | null>(null);

/** Second key after `G`, and where it goes. */
export const PLACES_BY_KEY: Readonly<Record<string, string>> = {t: '/tasks', s: '/standup', m: '/members', a: '/start'};

const SEQUENCE_MS = 1_200;
const OFF = 'taskflow.keys-off';

/** Single keys disturb who speaks to the computer, so they can be switched off (WCAG 2.1.4). */
export function areKeysOn(): boolean {
  return localStorage.getItem(OFF) === null;
}

export function setKeysOn(areOn: boolean): void {
  if (areOn) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, '1');
}

export function ShortcutProvider({children}: {children: ReactNode}): ReactNode {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const offered = useRef<PageKeys[]>([]);
  /** A key that came while a page was still opening. */
  const pending = useRef<{readonly key: keyof PageKeys; readonly until: number} | null>(null);
  useEffect(() => {
    let goUntil = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      if (!areKeysOn() || document.querySelector('[data-overlay]') !== null) return;
      const keys = offered.current.at(-1);
      const onPage = (name: keyof PageKeys): (() => void) | undefined =>
        offered.current.length > 0
          ? keys?.[name]
          : () => (pending.current = {key: name, until: Date.now() + SEQUENCE_MS});
      const key = event.key.toLowerCase();
      const place = PLACES_BY_KEY[key];
      const act =
        Date.now() < goUntil && place !== undefined
          ? (): void => {
              // What is pressed next is meant for the page that opens.
              if (location.hash.split('?')[0] !== `#${place}`) offered.current = [];
              go(place);
            }
          : event.key === '?'
            ? (): void => setHelpOpen(true)
            : event.key === '/'
              ? onPage('search')
              : key === 'n'
                ? onPage('add')
                : undefined;
      goUntil = key === 'g' ? Date.now() + SEQUENCE_MS : 0;
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const value = useMemo<Shortcuts>(
    () => ({
      isHelpOpen,
      setHelpOpen,
      offer(keys) {
        offered.current.push(keys);
        const wanted = pending.current;
        pending.current = null;
        if (wanted !== null && Date.now() < wanted.until) keys[wanted.key]?.();
        return () => {
          offered.current = offered.current.filter((each) => each !== keys);
        };
      },
    }),
    [isHelpOpen],
  );
  return <Context value={value}>{children}</Context>;
}

/** Inputs that no letter is typed into: where one of them has the focus, letters are still shortcuts. */
const CHOSEN_FROM = /^(radio|checkbox|button|submit|reset|file|range|color)$/;

function isTyping({target}: KeyboardEvent): boolean {
  if (target instanceof HTMLInputElement) return !CHOSEN_FROM.test(target.type);
  return target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName));
}

export function useShortcuts(): Shortcuts {
  const shortcuts = useContext(Context);
  if (shortcuts === null) throw new Error('this needs a ShortcutProvider above it');
  return shortcuts;
}

/** While the calling component is there, `/` and `N` do this. Outside the application, as in an embedding app, nothing. */
export function usePageKeys({search, add}: PageKeys): void {
  const shortcuts = useContext(Context);
  const latest = useRef<PageKeys>({});
  useEffect(() => {
    latest.current = {search, add};
  });
  const offer = shortcuts?.offer;
  useEffect(() => offer?.({search: () => latest.current.search?.(), add: () => latest.current.add?.()}), [offer]);
}
