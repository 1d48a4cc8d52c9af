/** While the vault is not open, keys are listed but neither used nor set; and why that is so. */
import type {ReactNode} from 'react';
import {Link} from '../../app/router.js';
import {useSituation} from '../../data/situation.js';
import {useTexts} from '../../i18n/index.js';
import {Notice} from '../../kit/index.js';
import {useIsPlanted} from '../vault/planted.js';

export function LockedNotice(): ReactNode {
  const {t} = useTexts();
  const state = useSituation().snapshot?.status?.vault.state;
  const isPlanted = useIsPlanted(state);
  if (state !== 'locked' && state !== 'rolled-back') return null;
  const isLocked = state === 'locked' && !isPlanted;
  return (
    <Notice
      kind={isLocked ? 'warning' : 'bad'}
      isAlert={!isLocked}
      title={t(isPlanted ? 'vault.planted' : isLocked ? 'vault.locked' : 'vault.rolledback')}
      actions={
        <Link to="/vault" className="button" data-look="plain" data-size="small">
          {t('vault.open')}
        </Link>
      }
    >
      {t(isPlanted ? 'vault.planted.text' : 'vault.locked.keys')}
    </Notice>
  );
}
