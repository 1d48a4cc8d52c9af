/** While the vault is locked, keys are listed but neither used nor set. */
import type {ReactNode} from 'react';
import {Link} from '../../app/router.js';
import {useSituation} from '../../data/situation.js';
import {useTexts} from '../../i18n/index.js';
import {Notice} from '../../kit/index.js';

export function LockedNotice(): ReactNode {
  const {t} = useTexts();
  const vault = useSituation().snapshot?.status?.vault;
  if (vault?.state !== 'locked') return null;
  return (
    <Notice
      kind="warning"
      title={t('vault.locked')}
      actions={
        <Link to="/vault" className="button" data-look="plain" data-size="small">
          {t('vault.open')}
        </Link>
      }
    >
      {t('vault.locked.keys')}
    </Notice>
  );
}
