/** While the vault is locked, keys are listed but neither used nor set; and if somebody planted a key, that is said. */
import {useQuery} from '@tanstack/react-query';
import type {ReactNode} from 'react';
import {Link} from '../../app/router.js';
import {taken} from '../../client/failure.js';
import {usePlatform, useSituation} from '../../data/situation.js';
import {useTexts} from '../../i18n/index.js';
import {Notice} from '../../kit/index.js';

export function LockedNotice(): ReactNode {
  const {t} = useTexts();
  const isLocked = useSituation().snapshot?.status?.vault.state === 'locked';
  const isPlanted = useIsPlanted(isLocked);
  if (!isLocked) return null;
  return (
    <Notice
      kind={isPlanted ? 'bad' : 'warning'}
      isAlert={isPlanted}
      title={t(isPlanted ? 'vault.planted' : 'vault.locked')}
      actions={
        <Link to="/vault" className="button" data-look="plain" data-size="small">
          {t(isPlanted ? 'vault.verify' : 'vault.open')}
        </Link>
      }
    >
      {t(isPlanted ? 'vault.planted.text' : 'vault.locked.keys')}
    </Notice>
  );
}

/** Whether it is locked because nobody who is a member vouches for its key. */
function useIsPlanted(isLocked: boolean): boolean {
  const {client} = usePlatform();
  const verified = useQuery({
    queryKey: ['vault', 'planted'],
    enabled: isLocked,
    queryFn: () => taken(client.GET('/api/v1/vault/verify')),
  });
  return isLocked && verified.data?.findings.some(({kind}) => kind === 'key') === true;
}
