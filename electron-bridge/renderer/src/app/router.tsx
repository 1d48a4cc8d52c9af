/** Pages by the fragment of the address, which works at `/` and below `file:` alike: `#/tasks?status=Blocked`. */
import {
  createContext,
  useContext,
  useMemo,
  useSyncExternalStore,
  type AnchorHTMLAttributes,
  type ReactNode,
} from 'react';

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

const fragment = (): string => location.hash.slice(1);

function placeOf(text: string): Place {
  const [path = '', query = ''] = text.split('?', 2);
  return {path: path === '' ? '/' : path, query: new URLSearchParams(query)};
}

export function usePlace(): Place {
  const text = useSyncExternalStore(subscribe, fragment);
  return useMemo(() => placeOf(text), [text]);
}

export function addressOf(path: string, query?: URLSearchParams): string {
  const words = query?.toString() ?? '';
  return `#${path}${words === '' ? '' : `?${words}`}`;
}

/** Go somewhere; `replace` leaves no step to go back to. */
export function go(path: string, query?: URLSearchParams, {replace = false} = {}): void {
  const address = addressOf(path, query);
  if (replace) {
    history.replaceState(history.state, '', address);
    dispatchEvent(new HashChangeEvent('hashchange'));
  } else location.hash = address;
}

/** Change what a page says of itself in the address, unless another page has been gone to meanwhile. */
export function restate(path: string, query: URLSearchParams): void {
  if (placeOf(fragment()).path === path) go(path, query, {replace: true});
}

/** Where links lead when the interface's own pages are not there, as in an app that embeds parts of it. */
export interface OtherPages {
  /** The path of a page that the app has; null for others, to which no link is shown. */
  readonly pathOf: (to: string) => string | null;
  readonly open: (to: string) => void;
}

/** Null while the interface's own pages are there. */
export const Elsewhere = createContext<OtherPages | null>(null);

export function Link({
  to,
  query,
  ...rest
}: {to: string; query?: URLSearchParams} & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'>): ReactNode {
  const elsewhere = useContext(Elsewhere);
  if (elsewhere === null) return <a href={addressOf(to, query)} {...rest} />;
  if (elsewhere.pathOf(to) === null) return null;
  return (
    <a
      {...rest}
      href={addressOf(to, query)}
      onClick={(event) => {
        event.preventDefault();
        elsewhere.open(to);
      }}
    />
  );
}

/** The values of a pattern's places, such as `{id}` of `/tasks/:id`; null where the path is another. */
export function matched(pattern: string, path: string): Readonly<Record<string, string>> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith(':')) values[part.slice(1)] = decodeURIComponent(value);
    else if (part !== value) return null;
  }
  return values;
}
