/** Deleting a member: their open tasks go to somebody else first, in the same step. */
import {useQuery, useQueryClient} from '@tanstack/react-query';
import {useState, type ReactNode} from 'react';
import {Refused, taken, takenPage} from '../../client/failure.js';
import type {Platform} from '../../client/platform.js';
import {usePlatform} from '../../data/situation.js';
import {useMe, useMemberStore, type ListedMember} from '../../data/work/members.js';
import {readTask} from '../../data/work/tasks.js';
import {SendingNotice} from '../../forms/Form.js';
import {sendingState} from '../../forms/create.js';
import {useRemoval} from '../../forms/removal.js';
import {useSave} from '../../forms/save.js';
import {useTexts} from '../../i18n/index.js';
import {Confirm, Notice, Select, Skeleton} from '../../kit/index.js';
import {assigneeOf, choiceOf, useAssigneeOptions} from './TaskForm.js';

const LIMIT = 500;

/** Whether anything would be lost: what somebody wrote stays under their name. */
async function hasWritten(client: Platform['client'], author: string): Promise<boolean> {
  const {items} = await takenPage(client.GET('/api/v1/updates', {params: {query: {author, limit: 1}}}));
  return items.length > 0;
}

/** All tasks to somebody else; the done ones too, because they would keep the member. */
async function giveAll(client: Platform['client'], from: string, to: string | null): Promise<void> {
  await taken(client.POST('/api/v1/members/{id}/reassign', {params: {path: {id: from}}, body: {to}}));
  for (;;) {
    const query = {assignee: [from], limit: LIMIT};
    const {items} = await takenPage(client.GET('/api/v1/tasks', {params: {query}}));
    for (const {id} of items) {
      const {value, version} = await readTask(client, id);
      if (value.assignee_id !== from) continue;
      const headers = version === null ? {} : {'If-Match': version};
      const call = client.PATCH('/api/v1/tasks/{id}', {
        params: {path: {id}, header: headers},
        body: {assignee_id: to},
      });
      await taken(call).catch((error: unknown) => {
        // Somebody changed it meanwhile: the next round looks again.
        if (!(error instanceof Refused) || (error.status !== 412 && error.status !== 404)) throw error;
      });
    }
    if (items.length === 0) return;
  }
}

export function DeleteMember({member, onClose}: {member: ListedMember; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {client} = usePlatform();
  const cache = useQueryClient();
  const {me, choose} = useMe();
  const {id, name} = member;
  const [to, setTo] = useState<string | null>(null);
  const facts = useQuery({
    queryKey: ['updates', 'any', id],
    queryFn: async () => {
      const tasks = client.GET('/api/v1/tasks/counts', {params: {query: {assignee: [id]}}});
      const [wrote, {total}] = await Promise.all([hasWritten(client, id), taken(tasks)]);
      return {wrote, total};
    },
  });
  const removal = useRemoval(
    async () => {
      if ((facts.data?.total ?? 0) > 0) await giveAll(client, id, to);
      await taken(client.DELETE('/api/v1/members/{id}', {params: {path: {id}}}));
    },
    () => {
      if (me?.id === id) choose(null);
      void cache.invalidateQueries({queryKey: ['members']});
      onClose();
    },
  );
  const options = useAssigneeOptions(null).filter((option) => option.id !== id);
  const total = facts.data?.total ?? 0;
  if (facts.data?.wrote === true) return <DeactivateInstead member={member} onClose={onClose} />;
  return (
    <Confirm
      title={t('member.delete.title', {name})}
      isOpen
      onClose={onClose}
      confirm={{
        children: total > 0 ? t('member.delete.reassign') : t('member.delete'),
        isPending: removal.isPending,
        isDisabled: facts.data === undefined,
        onPress: () => removal.mutate(),
      }}
    >
      {facts.data === undefined ? (
        <Skeleton rows={2} label={t('app.loading')} />
      ) : (
        <>
          <p className="section-text">
            {total > 0 ? t('member.delete.tasks', {count: total}) : t('member.delete.text')}
          </p>
          {total > 0 && (
            <Select
              label={t('member.delete.to')}
              value={choiceOf(to)}
              onChange={(choice) => setTo(assigneeOf(choice))}
              options={options}
            />
          )}
        </>
      )}
      <SendingNotice sending={{state: sendingState(removal), error: removal.error}} />
    </Confirm>
  );
}

/** Who has written cannot go; who is inactive is out of everybody's way. */
function DeactivateInstead({member, onClose}: {member: ListedMember; onClose: () => void}): ReactNode {
  const {t} = useTexts();
  const {id, name, email, active} = member;
  const save = useSave(useMemberStore(id), onClose);
  return (
    <Confirm
      title={t('member.delete.title', {name})}
      isOpen
      onClose={onClose}
      confirm={{
        children: t('member.deactivate'),
        look: 'primary',
        isDisabled: !active,
        isPending: save.state !== 'idle',
        onPress: () => save.save({value: {name, email, active}, version: null}, {active: false}),
      }}
    >
      <Notice kind="warning" title={t('member.delete.wrote')}>
        {t('member.delete.wrote.text')}
      </Notice>
      <SendingNotice sending={save} />
    </Confirm>
  );
}
