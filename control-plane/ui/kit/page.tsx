import { ChevronRight } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { Button } from './button.tsx';
import { CopyAs } from './copy-as.tsx';
import { tellHeading } from './heading.ts';
import type { Figure } from './numbers.ts';
import styles from './page.module.css';
import { ProblemBox } from './told.tsx';
import { Unsaved } from './unsaved.tsx';

/** Head of a page: its one heading, its state, at most one primary action. */
export function PageHeader({
  title,
  before,
  isCode = false,
  status,
  sub,
  actions,
}: {
  readonly title: string;
  /** What kind of thing it is, e.g. the method of a call. */
  readonly before?: ReactNode;
  /** Whether the title is a path or an id rather than words. */
  readonly isCode?: boolean;
  readonly status?: ReactNode;
  readonly sub?: ReactNode;
  readonly actions?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Isthmus`;
    return tellHeading(title);
  }, [title]);
  return (
    <div className={styles['header']}>
      {before}
      <h1 data-code={isCode || undefined}>{title}</h1>
      {status}
      {sub !== undefined && <span className={styles['sub']}>{sub}</span>}
      {actions !== undefined && <div className={styles['actions']}>{actions}</div>}
    </div>
  );
}

/** Pages of one object, as links. */
export function Tabs({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    // In a narrow window they are one line that is moved: the page that is shown stands in it.
    const current = nav.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (nav.current && current) nav.current.scrollLeft = current.offsetLeft - nav.current.clientWidth / 2;
  });
  return (
    <nav ref={nav} className={styles['tabs']} aria-label={label}>
      {children}
    </nav>
  );
}

export const Body = ({ children }: { readonly children: ReactNode }) => (
  <div className={styles['body']}>{children}</div>
);

/** In place of what is awaited, where no list or figure stands for itself: shown a moment later, so that a quick answer makes nothing flicker. */
export const Awaited = ({ lines = 6 }: { readonly lines?: number }) => (
  <div className={styles['awaited']} aria-busy="true">
    <span className="hidden">Loading</span>
    {Array.from({ length: lines }, (_, at) => (
      <i key={at} aria-hidden />
    ))}
  </div>
);

/** In place of a page whose answer is not there: what it will look like while it is awaited, then why it is missing. */
export const Unanswered = ({
  error,
  title,
  hasTabs = false,
}: {
  readonly error: unknown;
  /** What the page is of, e.g. `API`, until its name is known; for a part of a page, which has a heading already, none. */
  readonly title?: string;
  /** It will have pages of its own, as links. */
  readonly hasTabs?: boolean;
}) => (
  <>
    {title !== undefined && <PageHeader title={title} />}
    {hasTabs && <div className={styles['tabs']} data-awaited />}
    <Body>{error === null ? <Awaited /> : <ProblemBox error={error} />}</Body>
  </>
);

/** What stands above a list; the first is what narrows it, at the end stands what adds to it. */
export const Toolbar = ({ children, end }: { readonly children: ReactNode; readonly end?: ReactNode }) => (
  <div className={styles['toolbar']}>
    {children}
    {end !== undefined && <div className={styles['actions']}>{end}</div>}
  </div>
);

/** A framed part of a page; panels never nest. `isBare` for a table, which reaches the edges. */
export function Panel({
  title,
  end,
  isBare = false,
  children,
}: {
  readonly title: string;
  readonly end?: ReactNode;
  readonly isBare?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <section className={styles['panel']} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {end !== undefined && <div className={styles['actions']}>{end}</div>}
      </header>
      {isBare ? children : <div className={styles['inner']}>{children}</div>}
    </section>
  );
}

/** Key figures in one ruled strip. */
export function Figures({
  figures,
}: {
  /** Each with what is said beside it, e.g. how it has changed, and how it went over time. */
  readonly figures: readonly (readonly [
    name: string,
    figure: Figure,
    beside?: ReactNode,
    line?: ReactNode,
  ])[];
}) {
  return (
    <dl className={styles['figures']}>
      {figures.map(([name, { value, unit }, beside, line]) => (
        <div key={name} className={styles['figure']}>
          <dt>{name}</dt>
          <dd>
            {value}
            {unit !== '' && <span>{unit}</span>}
            {beside}
          </dd>
          {line !== undefined && <dd className={styles['line']}>{line}</dd>}
        </div>
      ))}
    </dl>
  );
}

/** Panels beside each other where there is room. */
export const Columns = ({ children }: { readonly children: ReactNode }) => (
  <div className={styles['columns']}>{children}</div>
);

/** Names and what they stand for. */
export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={styles['facts']}>
      {/* Two of them may have one name. */}
      {facts.map(([name, value], n) => [<dt key={`${n}-name`}>{name}</dt>, <dd key={n}>{value}</dd>])}
    </dl>
  );
}

/** Head of a part of a page that has one of its own: what it is about, its state, what can be done with it. */
export function Bar({
  back,
  title,
  status,
  children,
}: {
  /** The link to all of its kind. */
  readonly back?: ReactNode;
  readonly title: ReactNode;
  readonly status?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <div className={styles['bar']}>
      {back !== undefined && (
        <div className={styles['back']}>
          {back}
          <ChevronRight size={14} aria-hidden />
        </div>
      )}
      <h2>{title}</h2>
      {status}
      <div className={styles['actions']}>{children}</div>
    </div>
  );
}

/** Says that something on the page is not saved yet, with what can be done about it; stays in view, and whoever leaves is asked. */
export const SaveBar = ({
  change,
  children,
}: {
  /** What saving sends, which can be copied instead. */
  readonly change?: (() => Promise<unknown>) | undefined;
  readonly children: ReactNode;
}) => (
  <div className={styles['save']}>
    <Unsaved />
    <span role="status">Changes are not saved</span>
    <div className={styles['actions']}>
      {change !== undefined && <CopyAs change={change} />}
      {children}
    </div>
  </div>
);

/** Takes back what is written, and what was said of it when it was to be saved. */
export const Discard = ({
  saving,
  written,
}: {
  readonly saving: { readonly reset: () => void };
  readonly written: { readonly discard: () => void };
}) => (
  <Button
    onClick={() => {
      saving.reset();
      written.discard();
    }}
  >
    Discard
  </Button>
);
