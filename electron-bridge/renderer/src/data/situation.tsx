/** What the sidecar says about itself, for everything on the page. */
import {createContext, useContext, useEffect, useMemo, useRef, useSyncExternalStore, type ReactNode} from 'react';
import type {Platform, Problem, Snapshot} from '../client/platform.js';

export interface Situation {
  /** Null until the sidecar has said something. */
  readonly snapshot: Snapshot | null;
  /** When that arrived, in milliseconds since 1970; countdowns run from here. */
  readonly receivedAt: number;
  /** Whether the team's work can be asked for: the database is ready, or the answer comes as soon as it can. */
  readonly isReady: boolean;
  /** When the database was last seen ready; null if it never was. */
  readonly readyAt: number | null;
  /** The database that answered last; tells one team's work from another's. */
  readonly problem: Problem | null;
}

/** Remembers what the platform tells. */
export class SituationStore {
  #situation: Situation = {snapshot: null, receivedAt: 0, isReady: false, readyAt: null, problem: null};
  readonly #listeners = new Set<() => void>();
  readonly #platform: Platform;
  #stop: (() => void) | null = null;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  readonly get = (): Situation => this.#situation;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#stop ??= this.#platform.watch((snapshot) => this.#take(snapshot));
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = null;
    };
  };

  #take(snapshot: Snapshot): void {
    const {state} = snapshot;
    const isReady = state.kind === 'ready' || (state.kind === 'starting' && state.takesCalls);
    const now = Date.now();
    const wasReady = this.#situation.isReady;
    this.#situation = {
      snapshot,
      receivedAt: now,
      isReady,
      readyAt: isReady || wasReady ? now : this.#situation.readyAt,
      problem: 'problem' in state ? state.problem : null,
    };
    this.#listeners.forEach((listener) => listener());
  }
}

const PlatformContext = createContext<Platform | null>(null);
const StoreContext = createContext<SituationStore | null>(null);

export function PlatformProvider({platform, children}: {platform: Platform; children: ReactNode}): ReactNode {
  const store = useMemo(() => new SituationStore(platform), [platform]);
  return (
    <PlatformContext value={platform}>
      <StoreContext value={store}>{children}</StoreContext>
    </PlatformContext>
  );
}

export function usePlatform(): Platform {
  return present(useContext(PlatformContext));
}

export function useSituation(): Situation {
  const store = present(useContext(StoreContext));
  return useSyncExternalStore(store.subscribe, store.get);
}

/** The whole store, for what listens outside of rendering. */
export function useSituationStore(): SituationStore {
  return present(useContext(StoreContext));
}

/** Call `act` each time the database becomes ready. */
export function useOnReady(act: () => void): void {
  const {isReady} = useSituation();
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    if (isReady) latest.current();
  }, [isReady]);
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error('this needs a PlatformProvider above it');
  return value;
}
