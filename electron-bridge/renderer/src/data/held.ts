/** What is shown stays as it is, whole, until what was asked for since is there. */
import {useState} from 'react';

/**
 * @param value undefined is always taken: there is nothing to show.
 * @param isThere whether it is what was asked for.
 * @returns the latest that was there; the same object until another one is.
 */
export function useHeld<T>(value: T | undefined, isThere: boolean): T | undefined {
  const [held, setHeld] = useState(value);
  const shown = isThere || value === undefined ? value : held;
  if (shown !== held) setHeld(shown);
  return shown;
}
