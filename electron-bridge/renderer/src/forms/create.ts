/** Adding something exactly once, however often it has to be sent. */
import {useMutation} from '@tanstack/react-query';
import type {FieldValues} from 'react-hook-form';
import {Refused, isTransient} from '../client/failure.js';
import type {Draft} from './draft.js';
import {useIsShown} from './shown.js';

export type SendingState = 'idle' | 'sending' | 'waiting' | 'trying';

export interface Sending {
  readonly state: SendingState;
  readonly error: unknown;
  /** Why the last try did not succeed, while the next one waits. */
  readonly reason?: unknown;
}

export interface Create<Body> extends Sending {
  readonly send: (body: Body) => void;
}

/**
 * Send a form's contents with its Idempotency-Key, again and again while the sidecar or its database is away. The
 * form keeps what was typed until the answer is there.
 *
 * @param onMade called if the form is still shown by then.
 */
export function useCreate<Body, Made, T extends FieldValues>(
  draft: Draft<T>,
  post: (body: Body, key: string) => Promise<Made>,
  onMade: (made: Made) => void,
): Create<Body> {
  const isShown = useIsShown();
  const mutation = useMutation({
    mutationFn: (body: Body) => post(body, draft.key()),
    retry: (_count, error) => isTransient(error),
    onSuccess(made) {
      draft.reset();
      if (isShown()) onMade(made);
    },
    onError(error) {
      // 422: an earlier attempt had arrived after all; its key must go on standing for it.
      if (error instanceof Refused && error.status < 500 && error.status !== 422) draft.renewKey();
    },
  });
  return {
    state: sendingState(mutation),
    error: mutation.error,
    reason: mutation.failureReason,
    send(body) {
      if (!mutation.isPending) mutation.mutate(body);
    },
  };
}

export function sendingState(mutation: {
  readonly isPending: boolean;
  readonly isPaused: boolean;
  readonly failureCount: number;
}): SendingState {
  if (!mutation.isPending) return 'idle';
  if (mutation.isPaused) return 'waiting';
  return mutation.failureCount > 0 ? 'trying' : 'sending';
}
