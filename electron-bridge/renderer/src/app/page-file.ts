/**
 * A page in a file of its own, which is loaded when it is wanted. Once it is there it is shown at once: `lazy` and
 * `Suspense` would keep what stands in its place for 300 ms.
 */
import {useSyncExternalStore, type ComponentType} from 'react';

type Found<P> = {readonly component: ComponentType<P>} | {readonly error: unknown};

export class PageFile<P> {
  readonly #import: () => Promise<{readonly default: ComponentType<P>}>;
  readonly #listeners = new Set<() => void>();
  #found: Found<P> | null = null;
  #isLoading = false;

  constructor(load: () => Promise<{readonly default: ComponentType<P>}>) {
    this.#import = load;
  }

  readonly get = (): Found<P> | null => this.#found;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Load it, unless it is there or on its way; one that could not be loaded is tried again. */
  readonly load = (): void => {
    if (this.#isLoading || (this.#found !== null && 'component' in this.#found)) return;
    this.#isLoading = true;
    this.#tell(null);
    this.#import().then(
      ({default: component}) => this.#end({component}),
      (error: unknown) => this.#end({error}),
    );
  };

  #end(found: Found<P>): void {
    this.#isLoading = false;
    this.#tell(found);
  }

  #tell(found: Found<P> | null): void {
    this.#found = found;
    this.#listeners.forEach((listener) => listener());
  }
}

/**
 * The component of a page's file; null until it has been loaded, which somebody else sees to.
 *
 * @throws what loading it failed of.
 */
export function usePageFile<P>(file: PageFile<P>): ComponentType<P> | null {
  const found = useSyncExternalStore(file.subscribe, file.get);
  if (found !== null && 'error' in found) throw found.error;
  return found?.component ?? null;
}
