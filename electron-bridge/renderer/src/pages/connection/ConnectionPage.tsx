/** Where the work lives: on this computer, or in the team's database, and how to get there. */
import {useMutation, useQueryClient} from '@tanstack/react-query';
import {useState, type ReactNode} from 'react';
import {HOME} from '../../app/routes.js';
import {go} from '../../app/router.js';
import {asError} from '../../client/failure.js';
import type {SavedConnection} from '../../client/platform.js';
import {usePlatform, useSituation, useSituationStore} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Cards, Confirm, Facts, Icon, Notice, Outcome, Section, Skeleton, momentText} from '../../kit/index.js';
import {ConnectionForm} from './ConnectionForm.js';
import {CopyNotice} from './CopyNotice.js';
import {copyOverOf} from './copying.js';
import {rememberPlaceIsChosen} from './first.js';
import {SAVED, useSaved} from './queries.js';

type Where = 'local' | 'team';

export default function ConnectionPage(): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const saved = useSaved();
  if (saved.isPending) return <Skeleton label={t('app.loading')} />;
  return (
    <div className="column">
      {saved.isError && (
        <Notice kind="warning" title={t('connection.saved.unreadable')} isAlert>
          {explainError(saved.error, texts)}
        </Notice>
      )}
      <Places saved={saved.data ?? null} isUnreadable={saved.isError} />
    </div>
  );
}

function Places({saved, isUnreadable}: {saved: SavedConnection | null; isUnreadable: boolean}): ReactNode {
  const {t} = useTexts();
  const {snapshot, isReady, problem} = useSituation();
  const copy = copyOverOf(usePlatform(), useSituationStore());
  const status = snapshot?.status ?? null;
  const dialect = status?.database?.dialect ?? (status?.mode === 'embedded' ? 'sqlite' : null);
  const isSaved = saved !== null || isUnreadable;
  const now: Where | null = isSaved || dialect === 'postgresql' ? 'team' : dialect === 'sqlite' ? 'local' : null;
  const [chosen, setChosen] = useState<Where | null>(null);
  const [isEditing, setEditing] = useState(false);
  const [wasSaved, setWasSaved] = useState(false);
  const where = chosen ?? now;
  const isFirst = !isSaved && now === 'local' && chosen === null;
  const needsForm = !isSaved || isEditing || (problem?.who === 'you' && !isReady && !wasSaved);
  const finish = (): void => {
    rememberPlaceIsChosen();
    setEditing(false);
    setChosen(null);
    setWasSaved(true);
  };
  return (
    <>
      <header>
        <h1 className="page-title">{t(isSaved ? 'nav.connection' : 'connection.welcome')}</h1>
        {!isSaved && <p className="section-text">{t('connection.welcome.text')}</p>}
      </header>
      <Cards<Where>
        label={t('connection.where')}
        isLabelHidden
        value={where}
        onChange={(next) => {
          setChosen(next);
          setWasSaved(false);
        }}
        options={[
          {
            id: 'local',
            label: t('connection.local'),
            text: t('connection.local.text'),
            mark: <Icon name="computer" />,
            note: now === 'local' && <Here />,
          },
          {
            id: 'team',
            label: t('connection.team'),
            text: t('connection.team.text'),
            mark: <Icon name="team" />,
            note: now === 'team' && <Here />,
          },
        ]}
      />
      {where === 'local' && !isSaved && <LocalSection isFirst={isFirst} />}
      {where === 'local' && isSaved && <BackSection onForgotten={() => setChosen(null)} />}
      {where === 'team' && saved !== null && !needsForm && (
        <SavedSection saved={saved} onChange={() => setEditing(true)} onForgotten={() => setChosen(null)} />
      )}
      {where === 'team' && !isSaved && dialect === 'postgresql' && (
        <Notice kind="info">{t('connection.environment')}</Notice>
      )}
      {where === 'team' && needsForm && (
        <Section title={t(isSaved ? 'connection.edit' : 'connection.new')}>
          <ConnectionForm
            key={saved?.saved_at ?? 'new'}
            saved={saved}
            copy={copy}
            onSaved={finish}
            onCancel={isEditing ? () => setEditing(false) : undefined}
          />
        </Section>
      )}
      {wasSaved && <SavedOutcome />}
      <CopyNotice copy={copy} />
    </>
  );
}

function Here(): ReactNode {
  const {t} = useTexts();
  return (
    <span className="badge here" data-kind="good">
      {t('connection.here')}
    </span>
  );
}

function LocalSection({isFirst}: {isFirst: boolean}): ReactNode {
  const {t} = useTexts();
  return (
    <Section title={t('connection.local.now')} text={t('connection.local.now.text')}>
      <div className="form-actions">
        <Button
          look={isFirst ? 'primary' : 'plain'}
          onPress={() => {
            rememberPlaceIsChosen();
            go(HOME);
          }}
        >
          {t('connection.start')}
        </Button>
      </div>
    </Section>
  );
}

/** Back from the team's database to the one of this computer. */
function BackSection({onForgotten}: {onForgotten: () => void}): ReactNode {
  const {t} = useTexts();
  return (
    <Section title={t('connection.back')} text={t('connection.back.text')}>
      <div className="form-actions">
        <Forget onForgotten={onForgotten} />
      </div>
    </Section>
  );
}

function SavedSection({
  saved,
  onChange,
  onForgotten,
}: {
  saved: SavedConnection;
  onChange: () => void;
  onForgotten: () => void;
}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {snapshot, isReady} = useSituation();
  const database = isReady ? (snapshot?.status?.database ?? null) : null;
  const auth = 'auth' in saved ? (saved.auth as 'kerberos') : 'password';
  const version = database?.server_version ?? null;
  return (
    <Section
      title={t('connection.saved')}
      actions={
        <div className="form-actions">
          <Forget onForgotten={onForgotten} />
          <Button onPress={onChange}>{t('connection.change')}</Button>
        </div>
      }
    >
      <Facts
        facts={[
          [t('connection.database'), saved.database],
          [t('connection.host'), `${saved.host}:${saved.port}`],
          [t('connection.username'), saved.username],
          [t('connection.auth'), t(`connection.auth.${auth}`)],
          [t('connection.fact.encryption'), t(`connection.sslmode.${saved.sslmode}`)],
          ...(version === null ? [] : ([[t('connection.fact.server'), `PostgreSQL ${version}`]] as const)),
          ...(database?.tls == null
            ? []
            : ([
                [t('connection.fact.now'), t(database.tls ? 'connection.fact.encrypted' : 'connection.fact.open')],
              ] as const)),
          [t('connection.saved.at'), momentText(saved.saved_at, texts)],
        ]}
      />
    </Section>
  );
}

function Forget({onForgotten}: {onForgotten: () => void}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const platform = usePlatform();
  const cache = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const forget = useMutation({
    networkMode: 'always',
    async mutationFn() {
      const result = await platform.deleteConnection();
      // 404: it was gone already.
      if (!result.ok && result.error.status !== 404) throw asError(result.error);
      await cache.invalidateQueries({queryKey: SAVED});
    },
    onSuccess() {
      setAsking(false);
      onForgotten();
    },
  });
  return (
    <>
      <Button look="danger" onPress={() => setAsking(true)}>
        {t('connection.forget')}
      </Button>
      <Confirm
        title={t('connection.forget.title')}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        confirm={{children: t('connection.forget'), isPending: forget.isPending, onPress: () => forget.mutate()}}
      >
        <p>{t('connection.forget.text')}</p>
        {forget.isError && (
          <Notice kind="bad" isAlert>
            {explainError(forget.error, texts)}
          </Notice>
        )}
      </Confirm>
    </>
  );
}

/** From saved to ready, or why not. */
function SavedOutcome(): ReactNode {
  const {t} = useTexts();
  const {snapshot, isReady} = useSituation();
  const database = snapshot?.status?.database ?? null;
  if (isReady && database?.dialect === 'postgresql')
    return (
      <Outcome kind="good">
        {t('connection.done.ready', {database: database.database ?? '', version: database.server_version ?? ''})}
      </Outcome>
    );
  if (snapshot?.state.kind === 'failed') return <Outcome kind="bad">{t('connection.done.failed')}</Outcome>;
  return <Outcome kind="busy">{t('connection.done')}</Outcome>;
}
