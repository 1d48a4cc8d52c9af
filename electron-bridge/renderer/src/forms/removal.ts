/** Removing something for good. */
import {useMutation, type UseMutationResult} from '@tanstack/react-query';
import {Refused, isTransient} from '../client/failure.js';
import {useIsShown} from './shown.js';

/**
 * Remove something, again and again while the sidecar or its database is away, as long as the question is shown: who
 * closes it does not want it any more. What is gone already is as it was wanted.
 *
 * @param onGone called if the question is still shown by then.
 */
export function useRemoval(
  remove: () => Promise<unknown>,
  onGone: () => void | Promise<void>,
  onError?: () => void,
): UseMutationResult<void, Error, void> {
  const isShown = useIsShown();
  return useMutation({
    async mutationFn() {
      // It may have waited for the database.
      if (!isShown()) throw new Error('withdrawn');
      try {
        await remove();
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 404) throw error;
      }
    },
    retry: (_count, error) => isShown() && isTransient(error),
    onSuccess: () => (isShown() ? onGone() : undefined),
    ...(onError !== undefined && {onError}),
  });
}
