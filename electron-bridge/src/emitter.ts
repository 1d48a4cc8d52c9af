/** A typed set of listeners, one list per event. */

type Listener<T> = (value: T) => void;

export class Emitter<Events extends object> {
  readonly #listeners: {[E in keyof Events]?: Set<Listener<Events[E]>>} = {};

  /** Call `listener` at each event, until the returned function is called. */
  on<E extends keyof Events>(event: E, listener: Listener<Events[E]>): () => void {
    const listeners = (this.#listeners[event] ??= new Set<Listener<Events[E]>>());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const listener of [...(this.#listeners[event] ?? [])]) listener(value);
  }
}
