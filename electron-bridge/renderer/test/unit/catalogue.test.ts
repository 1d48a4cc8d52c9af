import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import ts from 'typescript';
import {describe, expect, test} from 'vitest';
import {BRIDGE_PROBLEM_CODES} from '../../../src/problems.js';
import {de} from '../../src/i18n/de/index.js';
import {en} from '../../src/i18n/en/index.js';
import {filledIn, pseudo, type Message} from '../../src/i18n/message.js';

const SOURCES = join(import.meta.dirname, '..', '..', 'src');
/** Attributes that are shown or read out. */
const SPOKEN = new Set(['aria-label', 'alt', 'title', 'placeholder', 'label', 'hint', 'text', 'submitLabel']);
const english = Object.entries<Message>(en);
const german: Readonly<Record<string, Message>> = de;

function places(message: Message): string[] {
  const text = typeof message === 'string' ? message : `${message.one} ${message.other}`;
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([place]) => place))].sort();
}

/** Texts that a file shows without taking them from the catalogue. */
function strays(file: string, code: string): string[] {
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isJsxText(node) && /\p{L}{2}/u.test(node.text)) found.push(node.text.trim());
    if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText()) && node.initializer !== undefined) {
      const value = ts.isJsxExpression(node.initializer) ? node.initializer.expression : node.initializer;
      if (value !== undefined && ts.isStringLiteralLike(value) && /\p{L}/u.test(value.text)) found.push(value.text);
    }
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return found;
}

describe('the catalogue', () => {
  test('German has every text, each with the same places', () => {
    expect(Object.keys(german).sort()).toEqual(Object.keys(en).sort());
    for (const [name, message] of english) expect([name, places(german[name] ?? '')]).toEqual([name, places(message)]);
  });

  test('every problem of the bridge is told in it, with what helps', () => {
    for (const code of BRIDGE_PROBLEM_CODES)
      expect(Object.keys(german)).toEqual(expect.arrayContaining([`problem.${code}`, `problem.${code}.remedy`]));
  });

  test('no text stands outside of it', () => {
    const files = readdirSync(SOURCES, {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.tsx'));
    const found = files.flatMap((file) => strays(file, readFileSync(join(SOURCES, file), 'utf8')));

    expect(files.length).toBeGreaterThan(10);
    expect(found).toEqual([]);
    expect(strays('x.tsx', '<a title="Hello">World</a>')).toEqual(['Hello', 'World']);
  });

  test('the pseudo-locale is at least 40 % longer and keeps its places', () => {
    for (const [, message] of english) {
      const made = pseudo(message);
      expect(places(made)).toEqual(places(message));
      if (typeof message === 'string' && typeof made === 'string')
        expect(made.length).toBeGreaterThanOrEqual(message.length * 1.4);
    }
  });

  test('numbers are written and counted as the language does', () => {
    const message = {one: '{count} task', other: '{count} tasks'};

    expect([1, 2, 12_345].map((count) => filledIn(message, {count}, 'en'))).toEqual([
      '1 task',
      '2 tasks',
      '12,345 tasks',
    ]);
    expect(filledIn(message, {count: 12_345}, 'de')).toBe('12.345 tasks');
  });
});
