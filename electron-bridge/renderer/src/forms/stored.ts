/** Something typed, in the session's storage under a name. */
export class Stored {
  readonly #name: string;
  #text: string | null;

  constructor(name: string) {
    this.#name = name;
    this.#text = sessionStorage.getItem(name);
  }

  /** What this form found or has written; null if nothing. */
  get text(): string | null {
    return this.#text;
  }

  /** Whether nothing else was typed under the name since, such as by a form that was opened after this one. */
  get isLatest(): boolean {
    return sessionStorage.getItem(this.#name) === this.#text;
  }

  keep(value: unknown): void {
    this.#text = JSON.stringify(value);
    sessionStorage.setItem(this.#name, this.#text);
  }

  /** Remove it, unless something else is there by now: an answer may come long after its form was closed. */
  forget(): void {
    if (this.isLatest) sessionStorage.removeItem(this.#name);
    this.#text = null;
  }
}
