/** Where one can go, and where the work lives. */
import type {ReactNode} from 'react';
import {useSituation} from '../data/situation.js';
import {useTexts, type PlainName} from '../i18n/index.js';
import {Icon, IconButton} from '../kit/index.js';
import {Me} from '../pages/work/Me.js';
import {Link} from './router.js';
import {ROUTES, type Route} from './routes.js';
import {useShortcuts} from './shortcuts.js';

const GROUPS: readonly PlainName[] = ['nav.work', 'nav.secrets', 'nav.system'];

export interface NavigationProps {
  readonly route: Route | null;
  /** Go past it to the page. */
  readonly onSkip: () => void;
}

export function Navigation({route, onSkip}: NavigationProps): ReactNode {
  const {t} = useTexts();
  const {setHelpOpen} = useShortcuts();
  return (
    <nav className="nav" aria-label={t('nav.label')}>
      <button type="button" className="skip" onClick={onSkip}>
        {t('app.skip')}
      </button>
      <div className="nav-head">
        <Logo />
        <span className="nav-name">{t('app.name')}</span>
      </div>
      <div className="nav-groups">
        {GROUPS.map((group) => (
          <NavigationGroup key={group} group={group} current={route} />
        ))}
      </div>
      <div className="nav-foot">
        <Me />
        <div className="nav-where-row">
          <Where />
          <IconButton icon="help" label={t('nav.help')} onPress={() => setHelpOpen(true)} />
        </div>
      </div>
    </nav>
  );
}

function NavigationGroup({group, current}: {group: PlainName; current: Route | null}): ReactNode {
  const {t} = useTexts();
  const routes = ROUTES.filter(({entry}) => entry?.group === group);
  if (routes.length === 0) return null;
  return (
    <div className="nav-group">
      <p className="nav-group-name">{t(group)}</p>
      <ul>
        {routes.map(({pattern, title, entry}) => (
          <li key={pattern}>
            <Link
              to={pattern}
              className="nav-link"
              aria-current={current?.pattern === pattern || current?.below === pattern ? 'page' : undefined}
            >
              {entry !== undefined && <Icon name={entry.icon} />}
              <span>{t(title)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** On this computer or in the team's database: said on every page, so that nobody works in the wrong place. */
function Where(): ReactNode {
  const {t} = useTexts();
  const {snapshot} = useSituation();
  const status = snapshot?.status ?? null;
  const database = status?.database ?? null;
  const isLocal = database === null ? status?.mode === 'embedded' : database.dialect === 'sqlite';
  const isKnown = status !== null && (database !== null || (status.mode as string | null) !== null);
  const name = !isKnown ? t('where.none') : isLocal ? t('where.local') : t('where.team');
  const text = isLocal ? t('where.local.text') : [database?.database, database?.host].filter(Boolean).join(' · ');
  const state = snapshot?.state.kind ?? 'launching';
  return (
    <Link to="/start" className="where" data-state={state}>
      <span className="where-icon">
        <Icon name={isLocal ? 'computer' : 'team'} />
        <span className="dot" data-state={state} />
      </span>
      <span className="where-words">
        <span className="where-name">{name}</span>
        <span className="where-text">{isKnown ? text : t(`state.${state}`)}</span>
      </span>
      <span className="only-read-out">{t(`state.${state}`)}</span>
    </Link>
  );
}

function Logo(): ReactNode {
  return (
    <svg className="logo" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <rect x="1" y="1" width="22" height="22" rx="6" />
      <path d="M6.5 8h7M6.5 12h11M6.5 16h5" />
      <circle cx="16.5" cy="8" r="1.4" />
    </svg>
  );
}
