/** Keys by whose they are. */
import type {ReactNode} from 'react';
import {go} from '../../app/router.js';
import type {PageProps} from '../../app/routes.js';
import {useTexts} from '../../i18n/index.js';
import {Segments, type IconName} from '../../kit/index.js';
import {AlertsPart} from './AlertsPart.js';
import {CamerasPart} from './CamerasPart.js';
import {LockedNotice} from './LockedNotice.js';
import {ProvidersPart} from './ProvidersPart.js';
import {ServersPart} from './ServersPart.js';
import {TenantsPart} from './TenantsPart.js';
import {UsersPart} from './UsersPart.js';

const PARTS = {
  providers: [ProvidersPart, 'keys'],
  servers: [ServersPart, 'standup'],
  tenants: [TenantsPart, 'team'],
  users: [UsersPart, 'members'],
  cameras: [CamerasPart, 'camera'],
  alerts: [AlertsPart, 'alert'],
} as const satisfies Readonly<Record<string, readonly [() => ReactNode, IconName]>>;
type PartName = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as readonly PartName[];

export default function KeysPage({values}: PageProps): ReactNode {
  const {t} = useTexts();
  const asked = values['part'] ?? 'providers';
  const part: PartName = NAMES.find((name) => name === asked) ?? 'providers';
  const [Content] = PARTS[part];
  return (
    <div className="column">
      <header className="page-head">
        <h1 className="page-title">{t('nav.keys')}</h1>
      </header>
      <Segments
        label={t('keys.parts')}
        value={part}
        onChange={(next) => go(`/keys/${next}`, undefined, {replace: true})}
        options={NAMES.map((id) => ({id, label: t(`keys.part.${id}`), icon: PARTS[id][1]}))}
      />
      <LockedNotice />
      <Content key={part} />
    </div>
  );
}
