/** Join codes as people type them, checked here: a slip is told at once, and costs no attempt. */

/** Crockford's base32, which has no letters that look like digits. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LOOKALIKES: Readonly<Record<string, string>> = {O: '0', I: '1', L: '1'};
/** Sixteen characters and the one that checks them. */
export const CODE_LENGTH = 17;
/** x^5 + x^2 + 1: over this field each place has a weight of its own, so that exchanged characters are noticed too. */
const MODULUS = 0b100101;

/** What was typed, without what does not matter. */
export function plainCode(typed: string): string {
  return typed
    .replace(/[\s-]/g, '')
    .toUpperCase()
    .replace(/[OIL]/g, (letter) => LOOKALIKES[letter] ?? letter);
}

/** Whether a code of full length can be right. */
export function isSound(typed: string): boolean {
  const values = Array.from(plainCode(typed), (character) => DIGITS.indexOf(character));
  if (values.length !== CODE_LENGTH || values.includes(-1)) return false;
  const check = values.slice(0, -1).reduceRight((total, value) => timesX(total ^ value), 0);
  return check === values.at(-1);
}

function timesX(element: number): number {
  const shifted = element << 1;
  return shifted > 31 ? shifted ^ MODULUS : shifted;
}
