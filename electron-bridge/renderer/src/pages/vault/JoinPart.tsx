/** A desktop that is not in: it asks, shows its code, and waits. */
import {useQuery} from '@tanstack/react-query';
import {useRef, useState, type ReactNode} from 'react';
import {Refused, taken} from '../../client/failure.js';
import type {components, Platform} from '../../client/platform.js';
import {useNow} from '../../data/clock.js';
import {usePlatform} from '../../data/situation.js';
import {explainError} from '../../i18n/explain.js';
import {useTexts} from '../../i18n/index.js';
import {Button, Notice, Outcome, Section, TextField, spanText} from '../../kit/index.js';
import {useAct} from '../keys/queries.js';
import {DEVICES} from './devices.js';

type OwnRequest = components['schemas']['RequestDocument'];

const LOOK_MS = 5_000;
const MAX_NAME = 100;

/** The request of this desktop; null if it does not ask. */
async function readRequest(client: Platform['client']): Promise<OwnRequest | null> {
  try {
    return await taken(client.GET('/api/v1/vault/devices/request'));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

export function JoinPart({nameOf}: {nameOf: (id: string) => string | null}): ReactNode {
  const {client} = usePlatform();
  const request = useQuery({
    queryKey: [DEVICES, 'request'],
    queryFn: () => readRequest(client),
    staleTime: 0,
    gcTime: 0,
    refetchInterval: LOOK_MS,
  });
  const [hasAsked, setAsked] = useState(false);
  const asked = request.data ?? null;
  if (asked !== null && !hasAsked) setAsked(true);
  if (request.data === undefined) return null;
  return asked === null ? (
    <Ask isOver={hasAsked} onAsk={() => setAsked(false)} />
  ) : (
    <Waiting request={asked} name={nameOf(asked.device_id)} onCancel={() => setAsked(false)} />
  );
}

function Ask({isOver, onAsk}: {isOver: boolean; onAsk: () => void}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const [label, setLabel] = useState('');
  const ask = useAct<undefined>(
    () => taken(client.POST('/api/v1/vault/devices', {body: label.trim() === '' ? {} : {label: label.trim()}})),
    [DEVICES],
    onAsk,
  );
  return (
    <Section title={t('join.title')} text={t('join.text')}>
      {isOver && (
        <Notice kind="warning" title={t('join.gone')} isAlert>
          {t('join.gone.text')}
        </Notice>
      )}
      <form
        className="form"
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          if (!ask.isPending) ask.mutate(undefined);
        }}
      >
        <TextField
          label={t('join.label')}
          hint={t('join.label.hint')}
          value={label}
          onChange={setLabel}
          maxLength={MAX_NAME}
          isOptional
          autoComplete="off"
          spellCheck="false"
        />
        <div className="form-actions">
          <Outcome kind={ask.isError ? 'bad' : 'idle'}>{ask.isError && explainError(ask.error, texts)}</Outcome>
          <Button type="submit" look="primary" isPending={ask.isPending}>
            {t('join.ask')}
          </Button>
        </div>
      </form>
    </Section>
  );
}

function Waiting({
  request,
  name,
  onCancel,
}: {
  request: OwnRequest;
  name: string | null;
  onCancel: () => void;
}): ReactNode {
  const texts = useTexts();
  const {t} = texts;
  const {client} = usePlatform();
  const now = useNow(30_000);
  const code = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState<'copied' | 'marked' | null>(null);
  const again = useAct<undefined>(
    () => taken(client.POST('/api/v1/vault/devices', {body: name === null ? {} : {label: name}})),
    [DEVICES],
    () => setCopied(null),
  );
  const cancel = useAct<undefined>(
    async () => taken(client.DELETE('/api/v1/vault/devices/request')),
    [DEVICES],
    onCancel,
  );
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(request.code);
      setCopied('copied');
    } catch {
      // An app may keep its pages from the clipboard: the person copies what is marked.
      if (code.current !== null) getSelection()?.selectAllChildren(code.current);
      setCopied('marked');
    }
  };
  const failed = again.error ?? cancel.error;
  return (
    <Section title={t('join.waiting')} text={t('join.text')}>
      <div className="join">
        <p className="join-code">
          <span className="only-read-out">{t('join.code')}</span>
          {/* Read out letter by letter, as it is to be said. */}
          <span className="only-read-out">{Array.from(request.code).join(' ')}</span>
          <code ref={code} aria-hidden="true" translate="no">
            {request.code.split('-').map((group, index) => (
              <span key={`${index} ${group}`}>
                {index > 0 && <span className="join-hyphen">-</span>}
                {group}
              </span>
            ))}
          </code>
        </p>
        <div className="join-copy">
          <Button icon="copy" onPress={() => void copy()}>
            {t('join.copy')}
          </Button>
          <span className="section-text" role="status">
            {copied === null
              ? t('join.expires', {time: spanText((Date.parse(request.expires_at) - now) / 1_000, texts)})
              : t(copied === 'copied' ? 'join.copied' : 'join.copy.marked')}
          </span>
        </div>
      </div>
      <ol className="join-steps">
        <li>{t('join.step.call')}</li>
        <li>{name === null ? t('join.step.there.unnamed') : t('join.step.there', {name})}</li>
        <li>{t('join.step.read')}</li>
      </ol>
      <div className="form-actions">
        <Outcome kind={failed === null ? 'idle' : 'bad'}>{failed !== null && explainError(failed, texts)}</Outcome>
        <Button isPending={cancel.isPending} onPress={() => cancel.mutate(undefined)}>
          {t('join.cancel')}
        </Button>
        <Button isPending={again.isPending} onPress={() => again.mutate(undefined)}>
          {t('join.again')}
        </Button>
      </div>
    </Section>
  );
}
