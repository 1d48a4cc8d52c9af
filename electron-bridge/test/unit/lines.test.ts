import {expect, test} from 'vitest';
import {MAX_LINE_CHARS, splitLines} from '../../src/lines.js';

function linesOf(...chunks: string[]): string[] {
  const lines: string[] = [];
  const splitter = splitLines((line) => lines.push(line));
  chunks.forEach((chunk) => splitter.push(chunk));
  splitter.end();
  return lines;
}

test.each([
  {name: 'in one chunk', chunks: ['a\nb\n']},
  {name: 'cut anywhere', chunks: ['a', '\n', 'b\n']},
  {name: 'with Windows line ends, cut between both characters', chunks: ['a\r', '\nb\r\n']},
  {name: 'without a line end at the end of the stream', chunks: ['a\nb']},
  {name: 'with empty lines between', chunks: ['\n\na\n\nb\n\n']},
])('lines $name', ({chunks}) => {
  expect(linesOf(...chunks)).toEqual(['a', 'b']);
});

test('a line without end does not grow for ever', () => {
  const lines = linesOf(...Array.from({length: 10}, () => 'x'.repeat(MAX_LINE_CHARS)), '\nnext\n');

  expect(lines).toEqual(['x'.repeat(MAX_LINE_CHARS), 'next']);
});
