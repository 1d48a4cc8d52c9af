/** Changing the sub-tasks of a task so that an answer that was lost, or a colleague's hand, turns nothing around. */
import {useMutation, useQueryClient, type UseMutationResult} from '@tanstack/react-query';
import {useMemo} from 'react';
import {Refused, isTransient, taken, takenWithVersion} from '../../client/failure.js';
import type {Platform} from '../../client/platform.js';
import type {Store, Versioned} from '../../forms/save.js';
import {usePlatform} from '../situation.js';
import type {SubTask} from './filters.js';
import {readTask, unread} from './tasks.js';

const STEP = '/api/v1/tasks/{task_id}/subtasks/{sid}';

async function readStep(client: Platform['client'], task: string, id: string): Promise<SubTask> {
  const {value} = await readTask(client, task);
  const found = value.sub_tasks.find((step) => step.id === id);
  if (found === undefined) throw new Refused(404, 'not-found', '');
  return found;
}

async function toggle(
  client: Platform['client'],
  task_id: string,
  sid: string,
  version: string | null,
): Promise<Versioned<SubTask>> {
  const header = version === null ? {} : {'If-Match': version};
  return takenWithVersion(client.PATCH(`${STEP}/toggle`, {params: {path: {task_id, sid}, header}}));
}

/**
 * Tick or untick a step: whatever others do meanwhile, it ends as it was wanted.
 *
 * @param mayHaveArrived an earlier attempt got no answer, so what is there now is looked at first.
 */
export async function tick(
  client: Platform['client'],
  task: string,
  id: string,
  isDone: boolean,
  mayHaveArrived = false,
): Promise<void> {
  if (mayHaveArrived && (await readStep(client, task, id)).completed === isDone) return;
  const first = await toggle(client, task, id, null);
  if (first.value.completed === isDone) return;
  // A colleague had ticked it a moment before: this turned it back.
  try {
    await toggle(client, task, id, first.version);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 412) throw error;
  }
}

export interface Tick {
  readonly isDone: boolean;
  wasSent?: boolean;
}

/** A mutation that is over when the task has been read anew, so that nothing flickers. */
function useStepMutation<V>(
  task: string,
  act: (client: Platform['client'], variables: V) => Promise<unknown>,
  scope?: string,
): UseMutationResult<unknown, Error, V> {
  const {client} = usePlatform();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (variables: V) => act(client, variables),
    retry: (_count, error) => isTransient(error),
    ...(scope !== undefined && {scope: {id: scope}}),
    onSettled: () => cache.invalidateQueries({queryKey: ['task', task]}),
  });
}

export function useTick(task: string, id: string): UseMutationResult<unknown, Error, Tick> {
  return useStepMutation(task, async (client, variables: Tick) => {
    const mayHaveArrived = variables.wasSent === true;
    variables.wasSent = true;
    await tick(client, task, id, variables.isDone, mayHaveArrived);
  });
}

export function useDeleteStep(task: string, id: string): UseMutationResult<unknown, Error, void> {
  return useStepMutation(task, async (client) => {
    try {
      await taken(client.DELETE(STEP, {params: {path: {task_id: task, sid: id}}}));
    } catch (error) {
      // Gone is what was wanted.
      if (!(error instanceof Refused) || error.status !== 404) throw error;
    }
  });
}

/** One order after the other, so that the last one counts. */
export function useOrder(task: string): UseMutationResult<unknown, Error, readonly string[]> {
  return useStepMutation(
    task,
    (client, ids: readonly string[]) =>
      taken(
        client.PUT('/api/v1/tasks/{task_id}/subtasks/reorder', {
          params: {path: {task_id: task}},
          body: {sub_task_ids: [...ids]},
        }),
      ),
    `order ${task}`,
  );
}

/** Where a step's title goes. */
export function useStepStore(task: string, id: string): Store<{title: string}> {
  const {client} = usePlatform();
  const cache = useQueryClient();
  return useMemo(
    () => ({
      async patch({title = ''}, version) {
        if (version === null) throw unread();
        const now = await takenWithVersion(
          client.PATCH(STEP, {params: {path: {task_id: task, sid: id}}, body: {title}}),
        );
        await cache.invalidateQueries({queryKey: ['task', task]});
        return {value: {title: now.value.title}, version: now.version};
      },
      read: async () => ({value: {title: (await readStep(client, task, id)).title}, version: 'read'}),
    }),
    [client, cache, task, id],
  );
}

/** Where the content of a daily update goes. */
export function useUpdateStore(task: string, id: string): Store<{content: string}> {
  const {client} = usePlatform();
  const cache = useQueryClient();
  return useMemo(
    () => ({
      async patch({content = ''}, version) {
        if (version === null) throw unread();
        const params = {path: {task_id: task, uid: id}};
        const call = client.PATCH('/api/v1/tasks/{task_id}/updates/{uid}', {params, body: {content}});
        const now = await takenWithVersion(call);
        await cache.invalidateQueries({queryKey: ['task', task]});
        return {value: {content: now.value.content}, version: now.version};
      },
      async read() {
        const {value} = await readTask(client, task);
        const found = value.daily_updates.find((update) => update.id === id);
        if (found === undefined) throw new Refused(404, 'not-found', '');
        return {value: {content: found.content}, version: 'read'};
      },
    }),
    [client, cache, task, id],
  );
}
