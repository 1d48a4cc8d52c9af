import {expect, test} from 'vitest';
import {oneAfterTheOther} from '../../src/data/cache.js';

test('a long reading is finished before the next one begins, and what came meanwhile is one more reading', async () => {
  const begun: string[] = [];
  const finish: (() => void)[] = [];
  const readAnew = oneAfterTheOther((key) => {
    begun.push(key.join('/'));
    return new Promise((resolve) => finish.push(resolve));
  });
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

  for (let change = 0; change < 5; change += 1) readAnew(['tasks']);
  readAnew(['task', '7']);
  await settled();
  expect(begun).toEqual(['tasks', 'task/7']);

  finish.forEach((each) => each());
  await settled();
  expect(begun).toEqual(['tasks', 'task/7', 'tasks']);

  finish.at(-1)?.();
  await settled();
  readAnew(['tasks']);
  expect(begun).toEqual(['tasks', 'task/7', 'tasks', 'tasks']);
});
