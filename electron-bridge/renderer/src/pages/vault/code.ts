/**
 * Recovery codes, made here: the sidecar never sends one. It gets what the person types from the paper, and the page
 * forgets both.
 */

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const CODE_LETTERS = 32;
/** Digits that codes do not have, and what people saw when they typed them. */
const LOOKALIKES: Readonly<Record<string, string>> = {'0': 'O', '1': 'I', '8': 'B'};

/** 160 random bits in eight groups of four. */
export function newRecoveryCode(): string {
  const random = crypto.getRandomValues(new Uint8Array(CODE_LETTERS));
  // A letter has five bits, and 256 is a multiple of 32.
  const text = [...random].map((byte) => LETTERS[byte % LETTERS.length]).join('');
  return (text.match(/.{4}/g) ?? []).join('-');
}

/** Whether two texts are the same code; blanks, hyphens, case and lookalikes do not matter. */
export function isSameCode(first: string, second: string): boolean {
  return plain(first) === plain(second);
}

function plain(code: string): string {
  return code
    .replace(/[\s-]/g, '')
    .toUpperCase()
    .replace(/[018]/g, (digit) => LOOKALIKES[digit] ?? digit);
}
