/**
 * The interface for apps: all of it with one call, or its parts as components.
 *
 * The styles are in `@taskflow/electron-bridge/ui/style.css`; they reach only what is shown here.
 */
import {StrictMode, useMemo, useRef, type FunctionComponent, type ReactNode} from 'react';
import {UNSAFE_PortalProvider as PortalProvider} from 'react-aria/PortalProvider';
import {createRoot} from 'react-dom/client';
import type {SidecarApi} from '../../../src/contract.js';
import {App} from '../app/App.js';
import {StatusStrip as Strip} from '../app/StatusStrip.js';
import {Elsewhere} from '../app/router.js';
import {electronPlatform} from '../client/electron.js';
import {Cache} from '../data/cache.js';
import {PlatformProvider, usePlatform, useSituationStore} from '../data/situation.js';
import {Language, useTexts} from '../i18n/index.js';
import {Section, Skeleton} from '../kit/index.js';
import {ConnectionForm as Form} from '../pages/connection/ConnectionForm.js';
import {CopyNotice} from '../pages/connection/CopyNotice.js';
import {copyOverOf} from '../pages/connection/copying.js';
import {useSaved} from '../pages/connection/queries.js';
import {LockedNotice} from '../pages/keys/LockedNotice.js';
import {ProvidersPart} from '../pages/keys/ProvidersPart.js';
import StartupPage from '../pages/startup/StartupPage.js';
import type {ConnectionFormProps, TaskflowOptions, TaskflowPage, TaskflowPartsProps} from './public.js';
import '../styles/index.css';
import './embed.css';

export type * from './public.js';

const PAGES: Readonly<Record<string, TaskflowPage>> = {'/connection': 'connection', '/vault': 'vault'};

/** The whole interface in `element`: `showTaskflow(document.body)`. The returned function takes it away again. */
export function showTaskflow(element: Element, options: TaskflowOptions = {}): () => void {
  const root = createRoot(element);
  root.render(
    <StrictMode>
      <Taskflow {...options} />
    </StrictMode>,
  );
  return () => root.unmount();
}

/** The whole interface as a component, over the whole window. Its pages are in the fragment of the address. */
export const Taskflow: FunctionComponent<TaskflowOptions> = ({api, language}: TaskflowOptions): ReactNode => {
  const platform = usePlatformOver(api);
  return (
    <Frame isWhole>
      <App platform={platform} language={language} />
    </Frame>
  );
};

/** Around all parts of a page: they share its connection to the sidecar, its language and what was read. */
export const TaskflowParts: FunctionComponent<TaskflowPartsProps> = ({
  api,
  language,
  onOpen,
  children,
}: TaskflowPartsProps): ReactNode => {
  const platform = usePlatformOver(api);
  const elsewhere = useMemo(
    () => ({
      pathOf: (to: string) => (onOpen !== undefined && to in PAGES ? to : null),
      open(to: string): void {
        const page = PAGES[to];
        if (page !== undefined) onOpen?.(page);
      },
    }),
    [onOpen],
  );
  return (
    <Language language={language} isPart>
      <PlatformProvider platform={platform}>
        <Cache>
          <Elsewhere value={elsewhere}>
            <Frame>{children}</Frame>
          </Elsewhere>
        </Cache>
      </PlatformProvider>
    </Language>
  );
};

/** The form of the team's database: tested before it is saved, and nothing typed is lost. */
export const ConnectionForm: FunctionComponent<ConnectionFormProps> = ({
  onSaved = nothing,
  onCancel,
}: ConnectionFormProps): ReactNode => {
  const {t} = useTexts();
  const saved = useSaved();
  const copy = copyOverOf(usePlatform(), useSituationStore());
  if (saved.isPending) return <Skeleton label={t('app.loading')} />;
  const known = saved.data ?? null;
  return (
    <Section title={t(known === null ? 'connection.new' : 'connection.edit')}>
      <Form key={known?.saved_at ?? 'new'} saved={known} copy={copy} onSaved={onSaved} onCancel={onCancel} />
      <CopyNotice copy={copy} />
    </Section>
  );
};

/** What is wrong with the database, what helps, who can, and when it is tried next; nothing while all is well. */
export const StatusStrip: FunctionComponent = (): ReactNode => <Strip />;

/** The AI providers' keys: set, test, replace, remove; masked, and never read back. */
export const KeyList: FunctionComponent = (): ReactNode => (
  <>
    <LockedNotice />
    <ProvidersPart />
  </>
);

/** For developers: the sidecar's state, the stages of its start, what is wrong, its log as it is written, its folder. */
export const DeveloperPanel: FunctionComponent = (): ReactNode => <StartupPage />;

/** What the styles reach, overlays included. */
function Frame({isWhole = false, children}: {isWhole?: boolean; children: ReactNode}): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  const {locale} = useTexts();
  return (
    <div ref={frame} className={isWhole ? 'taskflow taskflow-whole' : 'taskflow'} lang={isWhole ? undefined : locale}>
      <PortalProvider getContainer={() => frame.current}>{children}</PortalProvider>
    </div>
  );
}

function usePlatformOver(api: SidecarApi | undefined): ReturnType<typeof electronPlatform> {
  return useMemo(() => {
    keepStylesOut();
    const given = api ?? (window as {taskflow?: SidecarApi}).taskflow;
    if (given === undefined) throw new Error('window.taskflow is missing: call exposeSidecar() in the preload script');
    return electronPlatform(given);
  }, [api]);
}

/** The component library would add a style element of this id, which content security policies forbid. */
function keepStylesOut(): void {
  const id = 'react-aria-pressable-style';
  if (document.getElementById(id) !== null) return;
  const stand = document.createElement('meta');
  stand.id = id;
  document.head.append(stand);
}

function nothing(): void {
  // nobody wants to know
}
