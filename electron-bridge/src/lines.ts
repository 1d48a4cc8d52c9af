/** Lines out of a stream of text, with a bound on how long one may get. */

/** Longest line that is kept whole, in UTF-16 units; what is longer is cut there. */
export const MAX_LINE_CHARS = 65_536;

/** Returns a function that takes chunks and calls `onLine` for each complete line, without its line end. */
export function splitLines(onLine: (line: string) => void): {push: (chunk: string) => void; end: () => void} {
  let rest = '';
  const emit = (line: string): void => {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (text !== '') onLine(text.slice(0, MAX_LINE_CHARS));
  };
  return {
    push(chunk) {
      const parts = (rest + chunk).split('\n');
      rest = (parts.pop() ?? '').slice(0, MAX_LINE_CHARS);
      parts.forEach(emit);
    },
    end() {
      emit(rest);
      rest = '';
    },
  };
}
