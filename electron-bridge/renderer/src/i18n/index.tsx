/** Texts, dates and numbers in the person's language. */
import {createContext, useContext, useEffect, useMemo, useState, type ReactNode} from 'react';
import {I18nProvider} from 'react-aria-components';
import {en, type Catalogue, type MessageName} from './en/index.js';
import {filledIn, pseudo, type Message, type Translation, type Values, type ValuesOf} from './message.js';

export type {MessageName} from './en/index.js';

/** Look a text up: `t('task.count', {count: 3})`. */
export type Translate = <Name extends MessageName>(name: Name, ...values: ValuesOf<Catalogue[Name]>) => string;

/** Names of texts that need nothing filled in. */
export type PlainName = {
  [Name in MessageName]: ValuesOf<Catalogue[Name]> extends [] ? Name : never;
}[MessageName];

export interface Texts {
  readonly locale: string;
  readonly t: Translate;
  /** A text whose name is made of data, such as a problem's code; null if there is none. */
  readonly find: (name: string, values?: Values) => string | null;
}

type AnyCatalogue = Translation<Catalogue>;

const PSEUDO = 'pseudo';

/** `pseudo` in `?lang=`, else the system's language; English for every language that there is no catalogue of. */
export function chosenLanguage(search = location.search, languages: readonly string[] = navigator.languages): string {
  const asked = new URLSearchParams(search).get('lang');
  if (asked !== null) return asked;
  return languages.find((language) => /^(en|de)\b/i.test(language)) ?? 'en';
}

async function catalogueOf(language: string): Promise<AnyCatalogue> {
  if (language === PSEUDO) {
    const texts: Record<string, Message> = {};
    for (const [name, text] of Object.entries<Message>(en)) texts[name] = pseudo(text);
    return texts as AnyCatalogue;
  }
  return /^de\b/i.test(language) ? (await import('./de/index.js')).de : en;
}

function textsOf(catalogue: AnyCatalogue, language: string): Texts {
  const locale = language === PSEUDO ? 'en' : language;
  const messages = catalogue as Readonly<Record<string, Message>>;
  return {
    locale,
    t: (name, ...[values]) => filledIn(messages[name] ?? name, values ?? {}, locale),
    find: (name, values = {}) =>
      Object.hasOwn(messages, name) ? filledIn(messages[name] ?? '', values, locale) : null,
  };
}

const Context = createContext<Texts>(textsOf(en, 'en'));

/** Give everything below it texts; nothing is shown until the catalogue of another language has arrived. */
export function Language({
  children,
  language = chosenLanguage(),
  isPart = false,
}: {
  children: ReactNode;
  language?: string | undefined;
  /** The page around it is somebody else's, and so is its language. */
  isPart?: boolean;
}): ReactNode {
  const [catalogue, setCatalogue] = useState<AnyCatalogue | null>(null);
  useEffect(() => {
    let isWanted = true;
    void catalogueOf(language).then((found) => {
      if (isWanted) setCatalogue(found);
    });
    return () => {
      isWanted = false;
    };
  }, [language]);
  const texts = useMemo(() => (catalogue === null ? null : textsOf(catalogue, language)), [catalogue, language]);
  useEffect(() => {
    if (texts !== null && !isPart) document.documentElement.lang = texts.locale;
  }, [texts, isPart]);
  if (texts === null) return null;
  return (
    <Context value={texts}>
      <I18nProvider locale={texts.locale}>{children}</I18nProvider>
    </Context>
  );
}

export function useTexts(): Texts {
  return useContext(Context);
}
