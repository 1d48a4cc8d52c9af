import {expect, test} from 'vitest';
import {Refused, Unreachable} from '../../src/client/failure.js';
import {de} from '../../src/i18n/de/index.js';
import {en} from '../../src/i18n/en/index.js';
import {explainError} from '../../src/i18n/explain.js';
import {filledIn, type Message, type Values} from '../../src/i18n/message.js';
import type {Texts} from '../../src/i18n/index.js';

function textsOf(catalogue: Readonly<Record<string, Message>>, locale: string): Texts {
  const find = (name: string, values: Values = {}): string | null =>
    name in catalogue ? filledIn(catalogue[name] ?? '', values, locale) : null;
  return {locale, find, t: (name, ...[values]) => find(name, values ?? {}) ?? ''};
}

const english = textsOf(en, 'en');
const german = textsOf(de, 'de');
const nameOf = (field: string): string | null => (field === 'title' ? 'Title' : null);

test.each([
  [new Refused(400, 'validation', 'path.id: Input should be a valid UUID'), 'This does not exist any more'],
  [new Refused(400, 'validation', 'title: String should have at most 200 characters'), 'Title: this is too long'],
  [new Refused(400, 'validation', 'assignee_id: Input should be a valid UUID'), 'A value is not accepted'],
  [new Refused(404, 'not-found', 'Task not found'), 'This does not exist any more'],
  [
    new Refused(500, 'internal', 'Internal server error'),
    'Something unexpected went wrong. Nothing you typed is lost.',
  ],
  [new Unreachable('fetch failed'), 'The sidecar did not answer.'],
  [new TypeError('Cannot read properties of undefined'), 'Something unexpected went wrong'],
])('%s is said in words for people', (error, sentence) => {
  expect(explainError(error, english, nameOf)).toContain(sentence);
  for (const texts of [english, german]) {
    const told = explainError(error, texts, nameOf);
    expect(told).not.toMatch(/UUID|Input|String|undefined|fetch|server error/);
    expect(told.length).toBeGreaterThan(10);
  }
});

test('a sentence of the sidecar that says more is shown as it is, and in German by its code', () => {
  const error = new Refused(409, 'conflict', 'Member with this email already exists');

  expect(explainError(error, english)).toBe('Member with this email already exists');
  expect(explainError(error, german)).toBe(de['error.conflict']);
});
