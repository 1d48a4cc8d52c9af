/** The people of the team, and which of them sits here. */
import {useQuery, useQueryClient, type UseQueryResult} from '@tanstack/react-query';
import {useCallback, useMemo, useSyncExternalStore} from 'react';
import {taken, takenWithVersion} from '../../client/failure.js';
import type {components} from '../../client/platform.js';
import type {Store} from '../../forms/save.js';
import {LIVE} from '../live.js';
import {usePlatform} from '../situation.js';
import {unread} from './tasks.js';

export type ListedMember = components['schemas']['ListedMember'];
export type Member = components['schemas']['Member'];
export type MemberFields = Pick<Member, 'name' | 'email' | 'active'>;

/** Everybody by name, inactive included. */
export function useMembers(): UseQueryResult<ListedMember[]> {
  const {client} = usePlatform();
  return useQuery({
    ...LIVE,
    queryKey: ['members'],
    queryFn: ({signal}) => taken(client.GET('/api/v1/members', {signal})),
  });
}

/** Where changes of one member go. Without a version the present one is read and compared first. */
export function useMemberStore(id: string): Store<MemberFields> {
  const {client} = usePlatform();
  const cache = useQueryClient();
  return useMemo(
    () => ({
      async patch(changes, version) {
        if (version === null) throw unread();
        const params = {path: {id}, header: {'If-Match': version}};
        const now = await takenWithVersion(client.PATCH('/api/v1/members/{id}', {params, body: changes}));
        void cache.invalidateQueries({queryKey: ['members']});
        return now;
      },
      read: () => takenWithVersion(client.GET('/api/v1/members/{id}', {params: {path: {id}}})),
    }),
    [client, cache, id],
  );
}

const ME = 'taskflow.me';
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', listener);
  };
}

export interface Me {
  /** Who sits here; null while nobody has said so, or that member is gone. */
  readonly me: ListedMember | null;
  readonly choose: (id: string | null) => void;
}

/** Chosen once on a computer: whose tasks are mine, and who writes. */
export function useMe(): Me {
  const id = useSyncExternalStore(subscribe, () => localStorage.getItem(ME));
  const {data: members} = useMembers();
  const choose = useCallback((chosen: string | null) => {
    if (chosen === null) localStorage.removeItem(ME);
    else localStorage.setItem(ME, chosen);
    listeners.forEach((each) => each());
  }, []);
  return {me: members?.find((member) => member.id === id) ?? null, choose};
}
