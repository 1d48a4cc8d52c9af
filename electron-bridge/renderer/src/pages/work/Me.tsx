/** "I am ...": chosen once, on every page. */
import {useMemo, type ReactNode} from 'react';
import {useSituation} from '../../data/situation.js';
import {useMe, useMembers} from '../../data/work/members.js';
import {useTexts} from '../../i18n/index.js';
import {Select} from '../../kit/index.js';
import {Avatar} from './parts.js';

const NOBODY = 'nobody';

export function Me(): ReactNode {
  const {t} = useTexts();
  const {readyAt} = useSituation();
  return readyAt === null ? null : <Choice label={t('me.label')} />;
}

function Choice({label}: {label: string}): ReactNode {
  const {t} = useTexts();
  const {me, choose} = useMe();
  const {data: members} = useMembers();
  const options = useMemo(
    () => [
      {id: NOBODY, label: t('me.none'), mark: <Avatar name="–" />},
      ...(members ?? [])
        .filter(({active}) => active)
        .map(({id, name}) => ({id, label: name, mark: <Avatar name={name} />})),
    ],
    [members, t],
  );
  if (members === undefined || members.length === 0) return null;
  return (
    <div className="me">
      <span className="me-label" aria-hidden="true">
        {label}
      </span>
      <Select
        label={label}
        isLabelHidden
        isQuiet
        placeholder={t('me.nobody')}
        value={me?.id ?? null}
        onChange={(id) => choose(id === NOBODY ? null : id)}
        options={options}
      />
    </div>
  );
}
