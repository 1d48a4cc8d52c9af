/** The people of the team: who they are, how much they have to do, and when they were last heard of. */
import {useState, type ReactNode} from 'react';
import {Link} from '../../app/router.js';
import {usePageKeys} from '../../app/shortcuts.js';
import {Loaded} from '../../data/Loaded.js';
import {STATUSES} from '../../data/work/filters.js';
import {useMe, useMemberStore, useMembers, type ListedMember} from '../../data/work/members.js';
import {ConflictDialog} from '../../forms/ConflictDialog.js';
import {SendingNotice} from '../../forms/Form.js';
import {hasDraft} from '../../forms/draft.js';
import {useSave} from '../../forms/save.js';
import {useTexts} from '../../i18n/index.js';
import {Ago, Button, Dialog, Empty, Menu, Segments} from '../../kit/index.js';
import {DeleteMember} from './DeleteMember.js';
import {EditMember, NEW_MEMBER, NewMember, editOf, wordsOfMember} from './MemberForm.js';
import {Avatar} from './parts.js';

type Shown = 'active' | 'all';

export default function MembersPage(): ReactNode {
  const {t} = useTexts();
  const members = useMembers();
  const [shown, setShown] = useState<Shown>('all');
  const [isAdding, setAdding] = useState(false);
  const [edited, setEdited] = useState<ListedMember | null>(null);
  const [deleted, setDeleted] = useState<ListedMember | null>(null);
  usePageKeys({add: () => setAdding(true)});
  const hasInactive = members.data?.some(({active}) => !active) === true;
  return (
    <div className="work">
      <header className="work-head">
        <div className="page-head">
          <h1 className="page-title">
            {t('nav.members')}
            {members.data !== undefined && (
              <span className="page-count" role="status">
                {t('members.count', {count: members.data.filter(({active}) => active).length})}
              </span>
            )}
          </h1>
          {hasInactive && (
            <Segments
              label={t('members.shown')}
              value={shown}
              onChange={setShown}
              options={[
                {id: 'all', label: t('members.all')},
                {id: 'active', label: t('members.active')},
              ]}
            />
          )}
          <Button look="primary" icon="plus" onPress={() => setAdding(true)}>
            {hasDraft(NEW_MEMBER) && !isAdding ? t('member.continue') : t('member.new')}
          </Button>
        </div>
      </header>
      <div className="work-body">
        <Loaded
          query={members}
          isEmpty={(all) => all.length === 0}
          empty={
            <Empty
              icon="members"
              title={t('members.none')}
              action={
                <Button look="primary" icon="plus" onPress={() => setAdding(true)}>
                  {t('member.new')}
                </Button>
              }
            >
              {t('members.none.text')}
            </Empty>
          }
        >
          {(all) => (
            <ul className="members" aria-label={t('nav.members')}>
              {all
                .filter(({active}) => active || shown === 'all')
                .map((member) => (
                  <MemberRow
                    key={member.id}
                    member={member}
                    onEdit={() => setEdited(member)}
                    onDelete={() => setDeleted(member)}
                  />
                ))}
            </ul>
          )}
        </Loaded>
      </div>
      <Dialog title={t('member.new')} isOpen={isAdding} onClose={() => setAdding(false)}>
        <NewMember onClose={() => setAdding(false)} />
      </Dialog>
      <Dialog title={t('member.edit')} isOpen={edited !== null} onClose={() => setEdited(null)}>
        {edited !== null && <EditMember key={edited.id} member={edited} onClose={() => setEdited(null)} />}
      </Dialog>
      {deleted !== null && <DeleteMember member={deleted} onClose={() => setDeleted(null)} />}
    </div>
  );
}

function MemberRow({
  member,
  onEdit,
  onDelete,
}: {
  readonly member: ListedMember;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
}): ReactNode {
  const {t} = useTexts();
  const {id, name, email, active, open_tasks, last_update_at} = member;
  const {me} = useMe();
  const save = useSave(useMemberStore(id), () => undefined);
  const openTasks = new URLSearchParams([
    ['assignee', id],
    ...STATUSES.filter((status) => status !== 'Done').map((status) => ['status', status]),
  ]);
  return (
    <li className="member" data-inactive={!active || undefined}>
      <Avatar name={name} isActive={active} />
      <div className="member-who">
        <span className="member-name">
          {name}
          {me?.id === id && <span className="badge">{t('member.you')}</span>}
          {!active && <span className="badge">{t('member.inactive')}</span>}
          {hasDraft(editOf(id)) && (
            <span className="badge" data-kind="warning">
              {t('member.unsaved')}
            </span>
          )}
        </span>
        <span className="member-email">{email}</span>
      </div>
      <span className="member-last">
        {last_update_at === null ? (
          t('member.noUpdate')
        ) : (
          <>
            {t('member.lastUpdate')} <Ago at={last_update_at} />
          </>
        )}
      </span>
      {open_tasks > 0 ? (
        <Link to="/tasks" query={openTasks} className="member-tasks">
          {t('member.openTasks', {count: open_tasks})}
        </Link>
      ) : (
        <span className="member-tasks">{t('member.noTasks')}</span>
      )}
      <Menu
        label={t('member.actions', {name})}
        actions={[
          {id: 'edit', label: t('action.edit'), icon: 'edit', onAction: onEdit},
          {
            id: 'active',
            label: active ? t('member.deactivate') : t('member.activate'),
            icon: active ? 'lock' : 'check',
            onAction: () => save.save({value: {name, email, active}, version: null}, {active: !active}),
          },
          {id: 'delete', label: t('member.delete'), icon: 'trash', isDangerous: true, onAction: onDelete},
        ]}
      />
      <div className="member-notice">
        <SendingNotice sending={save} />
      </div>
      <ConflictDialog save={save} words={wordsOfMember(t)} />
    </li>
  );
}
