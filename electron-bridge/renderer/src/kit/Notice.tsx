/** What a person should know: notices, outcomes, and what stands where there is nothing. */
import {useId, type ReactNode} from 'react';
import {Icon, type IconName} from './Icon.js';
import {Spinner} from './Spinner.js';

const ICONS = {info: 'info', good: 'check', warning: 'warning', bad: 'warning'} as const;

export function Notice({
  kind,
  title,
  children,
  actions,
  isAlert = false,
}: {
  readonly kind: keyof typeof ICONS;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
  /** Read out at once when it appears. */
  readonly isAlert?: boolean;
}): ReactNode {
  return (
    <div className="notice" data-kind={kind} role={isAlert ? 'alert' : undefined}>
      <Icon name={ICONS[kind]} />
      <div className="notice-words">
        {title !== undefined && <p className="notice-title">{title}</p>}
        {children}
      </div>
      {actions !== undefined && <div className="notice-actions">{actions}</div>}
    </div>
  );
}

export type OutcomeKind = 'idle' | 'busy' | 'good' | 'bad';

/** How an attempt went: a spinner, a green check or a red cross, with a sentence. Read out when it changes. */
export function Outcome({
  kind,
  children,
  details,
}: {
  readonly kind: OutcomeKind;
  readonly children?: ReactNode;
  readonly details?: ReactNode;
}): ReactNode {
  return (
    <div className="outcome" data-kind={kind}>
      <div role="status" className="outcome-line">
        {kind === 'busy' && <Spinner />}
        {kind === 'good' && <Icon name="check" />}
        {kind === 'bad' && <Icon name="cross" />}
        {kind !== 'idle' && <span>{children}</span>}
      </div>
      {kind !== 'idle' && kind !== 'busy' && details}
    </div>
  );
}

/** A list that has nothing in it, and what to do about it. Only for lists that have really been read. */
export function Empty({
  icon,
  title,
  isPage = false,
  children,
  action,
}: {
  readonly icon: IconName;
  readonly title: string;
  /** It stands for a whole page, whose heading is the title. */
  readonly isPage?: boolean;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}): ReactNode {
  const Title = isPage ? 'h1' : 'p';
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} />
      </span>
      <Title className="empty-title">{title}</Title>
      {children !== undefined && <div className="empty-text">{children}</div>}
      {action}
    </div>
  );
}

/** The shape of what will be here. */
export function Skeleton({rows = 6, label}: {readonly rows?: number; readonly label: string}): ReactNode {
  return (
    <div className="skeleton" role="status">
      <span className="only-read-out">{label}</span>
      {Array.from({length: rows}, (_, index) => (
        <span key={index} className="skeleton-row" />
      ))}
    </div>
  );
}

/** Something to open for who wants to know more. */
export function Details({summary, children}: {readonly summary: string; readonly children: ReactNode}): ReactNode {
  return (
    <details className="details">
      <summary>{summary}</summary>
      <div className="details-body">{children}</div>
    </details>
  );
}

/** Names and values, one below the other or, where they are short, in a line that wraps. */
export function Facts({
  facts,
  shape,
}: {
  readonly facts: readonly (readonly [name: string, value: ReactNode])[];
  readonly shape?: 'flow';
}): ReactNode {
  return (
    <dl className="facts" data-shape={shape}>
      {facts.map(([name, value]) => (
        <div key={name} className="fact">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A part of a page with a heading. */
export function Section({
  title,
  children,
  actions,
  text,
}: {
  readonly title: string;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
  readonly text?: ReactNode;
}): ReactNode {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <header className="section-head">
        <h2 id={id} className="section-title">
          {title}
        </h2>
        {actions}
      </header>
      {text !== undefined && <p className="section-text">{text}</p>}
      {children}
    </section>
  );
}
