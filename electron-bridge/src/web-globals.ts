/**
 * `Headers` and `FormData` for openapi-fetch on Node 16, which has neither. The build puts these in the place of the
 * globals; where the platform has its own, they are those.
 */

class PlainHeaders {
  readonly #values = new Map<string, string>();

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  set(name: string, value: string): void {
    this.#values.set(name.toLowerCase(), value);
  }

  append(name: string, value: string): void {
    const present = this.get(name);
    this.set(name, present === null ? value : `${present}, ${value}`);
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase());
  }

  entries(): IterableIterator<[string, string]> {
    return this.#values.entries();
  }

  forEach(visit: (value: string, name: string) => void): void {
    this.#values.forEach(visit);
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

/** Bodies here are JSON; openapi-fetch only asks whether one is an instance of this. */
const NoFormData = class NoFormData {
  protected readonly isNeverMade = true;
};

const platform = globalThis as {Headers?: unknown; FormData?: unknown};
const HeadersHere = platform.Headers ?? PlainHeaders;
const FormDataHere = platform.FormData ?? NoFormData;
export {HeadersHere as Headers, FormDataHere as FormData};
