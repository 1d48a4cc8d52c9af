/** The whole interface, over any platform. */
import {Component, useEffect, useRef, type ReactNode} from 'react';
import type {Platform} from '../client/platform.js';
import {Cache} from '../data/cache.js';
import {PlatformProvider, useSituation} from '../data/situation.js';
import {Language, useTexts} from '../i18n/index.js';
import {Button, Empty, Skeleton} from '../kit/index.js';
import StartupPage from '../pages/startup/StartupPage.js';
import {Help} from './Help.js';
import {Navigation} from './Navigation.js';
import {StatusStrip} from './StatusStrip.js';
import {useHome} from './home.js';
import {usePageFile} from './page-file.js';
import {ROUTES, type PageProps, type Route} from './routes.js';
import {go, matched, usePlace} from './router.js';
import {ShortcutProvider} from './shortcuts.js';

export function App({platform, language}: {platform: Platform; language?: string | undefined}): ReactNode {
  return (
    <Language language={language}>
      <PlatformProvider platform={platform}>
        <Cache>
          <ShortcutProvider>
            <Shell />
          </ShortcutProvider>
        </Cache>
      </PlatformProvider>
    </Language>
  );
}

function Shell(): ReactNode {
  const {t} = useTexts();
  const place = usePlace();
  const {readyAt} = useSituation();
  const found = ROUTES.map((route) => ({route, values: matched(route.pattern, place.path)})).find(
    ({values}) => values !== null,
  );
  const main = useRef<HTMLElement>(null);
  const opened = useRef(place.path);
  const isArriving = place.path === '/';
  const home = useHome(isArriving);
  useEffect(() => {
    // Who has gone somewhere meanwhile, which is told a moment later, is not taken away from there.
    const isStillHere = location.hash.length <= 2;
    if (isArriving && isStillHere && home !== null) go(home, undefined, {replace: true});
  }, [isArriving, home]);
  useEffect(() => {
    // The new page is read out and the keyboard goes on there.
    const before = opened.current;
    opened.current = place.path;
    if (before !== place.path && before !== '/') main.current?.focus({preventScroll: true});
  }, [place.path]);
  const file = found?.route.page;
  // Also while the sidecar starts: only the data is waited for then.
  useEffect(() => file?.load(), [file]);
  const title = found !== undefined ? t(found.route.title) : t(isArriving ? 'app.loading' : 'page.notFound');
  useEffect(() => {
    document.title = `${title} · ${t('app.name')}`;
  }, [title, t]);

  const hasWaited = found === undefined || !found.route.needsDatabase || readyAt !== null;
  return (
    <div className="app">
      <Navigation route={found?.route ?? null} onSkip={() => main.current?.focus()} />
      <div className="stage">
        <StatusStrip isQuiet={!hasWaited || found?.route.pattern === '/start'} />
        <main ref={main} className="main" tabIndex={-1} aria-label={title}>
          {isArriving ? (
            <Skeleton label={t('app.loading')} />
          ) : hasWaited ? (
            <Page route={found?.route} values={found?.values ?? {}} />
          ) : (
            <StartupPage />
          )}
        </main>
      </div>
      <Help />
    </div>
  );
}

function Page({route, values}: {route: Route | undefined; values: Readonly<Record<string, string>>}): ReactNode {
  const {t} = useTexts();
  if (route === undefined)
    return (
      <Empty isPage icon="help" title={t('page.notFound')}>
        {t('page.notFound.text')}
      </Empty>
    );
  return (
    <Crash key={route.pattern} onAgain={route.page.load}>
      <Content route={route} values={values} />
    </Crash>
  );
}

function Content({route, values}: {route: Route} & PageProps): ReactNode {
  const {t} = useTexts();
  const Loaded = usePageFile(route.page);
  return Loaded === null ? <Skeleton label={t('app.loading')} /> : <Loaded values={values} />;
}

/** A page that breaks takes nothing else with it. */
class Crash extends Component<{onAgain: () => void; children: ReactNode}, {hasCrashed: boolean}> {
  override state = {hasCrashed: false};

  static getDerivedStateFromError(): {hasCrashed: boolean} {
    return {hasCrashed: true};
  }

  override render(): ReactNode {
    return this.state.hasCrashed ? <Crashed again={() => this.#again()} /> : this.props.children;
  }

  #again(): void {
    this.props.onAgain();
    this.setState({hasCrashed: false});
  }
}

function Crashed({again}: {again: () => void}): ReactNode {
  const {t} = useTexts();
  return (
    <Empty
      isPage
      icon="warning"
      title={t('app.crash')}
      action={<Button onPress={again}>{t('app.crash.again')}</Button>}
    >
      {t('app.crash.text')}
    </Empty>
  );
}
