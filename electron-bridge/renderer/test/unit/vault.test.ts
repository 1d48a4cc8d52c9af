import {describe, expect, test} from 'vitest';
import {isSound} from '../../src/pages/vault/joinCode.js';

/** Frozen: the sidecar's own test has the same one. */
const CODE = 'KQ7F-9JKT-X2JD-RARD-9';

describe('a join code', () => {
  test.each([CODE, CODE.toLowerCase(), CODE.replaceAll('-', ' '), CODE.replaceAll('-', '')])('%s is sound', (typed) => {
    expect(isSound(typed)).toBe(true);
  });

  test('look-alikes of digits are understood', () => {
    expect(isSound('oooo-OOOO-0o0o-00iL-4')).toBe(true);
  });

  test('one wrong character, wherever it is, is a slip', () => {
    const plain = CODE.replaceAll('-', '');
    for (const [place, character] of Array.from(plain).entries())
      for (const other of '0123456789ABCDEFGHJKMNPQRSTVWXYZ')
        expect(isSound(plain.slice(0, place) + other + plain.slice(place + 1))).toBe(other === character);
  });

  test('two exchanged characters, wherever they are, are a slip', () => {
    const plain = Array.from(CODE.replaceAll('-', ''));
    for (const [first, one] of plain.entries())
      for (const [second, other] of plain.entries()) {
        const exchanged = plain.with(first, other).with(second, one).join('');
        expect(isSound(exchanged)).toBe(one === other);
      }
  });

  test.each(['', 'KQ7F', `${CODE}9`, CODE.replace('K', 'U')])('%o is none', (typed) => {
    expect(isSound(typed)).toBe(false);
  });
});
