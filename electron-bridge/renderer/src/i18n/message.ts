/** One text of the catalogue, and how it is filled in. */

/** Plain text with `{name}` places, or one text per plural category, chosen by `{count}`. */
export type Message = string | {readonly one: string; readonly other: string};

export type Values = Readonly<Record<string, string | number>>;

type Places<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Places<Rest> : never;
type Texts<M extends Message> = M extends string
  ? M
  : M extends {one: infer One; other: infer Other}
    ? One | Other
    : never;

/** What has to be given with a message: nothing, or a value for each of its places. */
export type ValuesOf<M extends Message> =
  Places<Extract<Texts<M>, string>> extends never
    ? M extends string
      ? []
      : [values: {readonly count: number}]
    : [
        values: Readonly<Record<Places<Extract<Texts<M>, string>>, string | number>> &
          (M extends string ? unknown : {readonly count: number}),
      ];

/** A catalogue of another language: the same names, each of the same kind. */
export type Translation<Catalogue extends Readonly<Record<string, Message>>> = {
  readonly [Name in keyof Catalogue]: Catalogue[Name] extends string
    ? string
    : {readonly one: string; readonly other: string};
};

/** Making one takes longer than using it, and a list uses hundreds. */
const numbers = new Map<string, Intl.NumberFormat>();
const plurals = new Map<string, Intl.PluralRules>();

function numbersOf(locale: string): Intl.NumberFormat {
  const known = numbers.get(locale) ?? new Intl.NumberFormat(locale);
  numbers.set(locale, known);
  return known;
}

function pluralsOf(locale: string): Intl.PluralRules {
  const known = plurals.get(locale) ?? new Intl.PluralRules(locale);
  plurals.set(locale, known);
  return known;
}

export function filledIn(message: Message, values: Values, locale: string): string {
  return textOf(message, values, locale).replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined) return place;
    return typeof value === 'number' ? numbersOf(locale).format(value) : value;
  });
}

function textOf(message: Message, {count}: Values, locale: string): string {
  if (typeof message === 'string') return message;
  return pluralsOf(locale).select(Number(count)) === 'one' ? message.one : message.other;
}

const ACCENTED: Readonly<Record<string, string>> = Object.fromEntries(
  [...'aàeéiîoöuûnñcçAÀEÉIÎOÖUÛNÑ'.matchAll(/(.)(.)/gu)].map(([, plain = '', accented = '']) => [plain, accented]),
);

/** A text as no language has it: accents, 40 % longer, in brackets. What is shown without them is in no catalogue. */
export function pseudo(message: Message): Message {
  if (typeof message !== 'string') return {one: pseudo(message.one) as string, other: pseudo(message.other) as string};
  const accented = message
    .split(/(\{\w+\})/)
    .map((part) => (part.startsWith('{') ? part : part.replace(/./gu, (letter) => ACCENTED[letter] ?? letter)))
    .join('');
  const filler = 'ôxýl '.repeat(Math.ceil((message.length * 0.4) / 5)).slice(0, Math.ceil(message.length * 0.4));
  return `⟦${accented}${filler === '' ? '' : ` ${filler.trim()}`}⟧`;
}
