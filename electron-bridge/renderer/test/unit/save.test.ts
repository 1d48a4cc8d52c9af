import {describe, expect, test} from 'vitest';
import {Refused, Unreachable} from '../../src/client/failure.js';
import {saveChanges, type Store, type Versioned} from '../../src/forms/save.js';

interface Thing {
  readonly title: string;
  readonly priority: string;
}

const BASE: Versioned<Thing> = {value: {title: 'A', priority: 'Low'}, version: '"1"'};

/** A store that others write too: `meanwhile` is saved just before the first PATCH arrives. */
class Shared implements Store<Thing> {
  now = BASE;
  readonly sent: Partial<Thing>[] = [];
  #meanwhile: Partial<Thing> | null;

  constructor(meanwhile: Partial<Thing> | null) {
    this.#meanwhile = meanwhile;
  }

  readonly read = (): Promise<Versioned<Thing>> => Promise.resolve(this.now);

  readonly patch = (changes: Partial<Thing>, version: string | null): Promise<Versioned<Thing>> => {
    if (this.#meanwhile !== null) {
      this.now = {value: {...this.now.value, ...this.#meanwhile}, version: '"2"'};
      this.#meanwhile = null;
    }
    if (version !== this.now.version) return Promise.reject(new Refused(412, 'precondition-failed', ''));
    this.sent.push(changes);
    this.now = {value: {...this.now.value, ...changes}, version: `"${this.sent.length + 2}"`};
    return Promise.resolve(this.now);
  };
}

describe('saving changes', () => {
  test('sends only what changed', async () => {
    const store = new Shared(null);

    await saveChanges(store, BASE, {title: 'B', priority: 'Low'});

    expect(store.sent).toEqual([{title: 'B'}]);
  });

  test('keeps what a colleague changed elsewhere, and says so', async () => {
    const store = new Shared({priority: 'High'});

    const saved = await saveChanges(store, BASE, {title: 'B'});

    expect(saved).toMatchObject({kind: 'saved', wasMerged: true});
    expect(store.now.value).toEqual({title: 'B', priority: 'High'});
  });

  test('asks where both changed the same, and overwrites nothing', async () => {
    const store = new Shared({title: 'C'});

    const saved = await saveChanges(store, BASE, {title: 'B'});

    expect(saved).toMatchObject({kind: 'conflict', conflict: {fields: ['title'], mine: {title: 'B'}}});
    expect(store.now.value.title).toBe('C');
  });

  test('takes its own change for done when only the answer had been lost', async () => {
    const store = new Shared({title: 'B'});

    const saved = await saveChanges(store, BASE, {title: 'B'});

    expect(saved.kind).toBe('saved');
    expect(store.sent).toEqual([]);
  });

  test('leaves other failures to who can wait', async () => {
    const store: Store<Thing> = {
      read: () => Promise.resolve(BASE),
      patch: () => Promise.reject(new Unreachable('')),
    };

    await expect(saveChanges(store, BASE, {title: 'B'})).rejects.toBeInstanceOf(Unreachable);
  });
});
