import { ArrowLeft, ArrowRight, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { Button, IconButton } from '../../kit/button.tsx';
import { TextField } from '../../kit/field.tsx';
import { Body, PageHeader, SaveBar } from '../../kit/page.tsx';
import { Empty, ProblemBox } from '../../kit/told.tsx';
import { asOf, spanOf } from '../traffic/search.ts';
import styles from './dashboards.module.css';
import { laidOut, placesOf } from './layout.ts';
import { type Dashboard, saveDashboard, type Widget } from './questions.ts';
import { WidgetForm } from './widget-form.tsx';
import { WidgetView } from './widget.tsx';

/** Widths that a widget can have, in columns of twelve. */
const widths = [
  [3, 'A quarter'],
  [4, 'A third'],
  [6, 'Half'],
  [8, 'Two thirds'],
  [9, 'Three quarters'],
  [12, 'Whole width'],
] as const;

const nearest = (span: number): number =>
  widths.reduce<number>(
    (best, [width]) => (Math.abs(width - span) < Math.abs(best - span) ? width : best),
    12,
  );

type Sized = readonly [widget: Widget, span: number];

const usualSpan = (widget: Widget): number => (widget.type === 'stats' ? 3 : 6);

/** What is written of a dashboard and not saved yet. */
function useDraft(env: string, of: Dashboard, onDone: () => void) {
  const [name, setName] = useState(of.name);
  // Widgets that others have laid out otherwise are laid out anew as soon as anything is changed.
  const [former] = useState(() =>
    placesOf(of.widgets).map(({ widget, span }): Sized => [widget, nearest(span)]),
  );
  const [sized, setSized] = useState<readonly Sized[]>(former);
  const saving = useChange({
    change: () => saveDashboard(env, of, { name, widgets: laidOut(sized) }),
    touches: [['dashboards', env]],
    onDone,
  });
  const put = (widget: Widget): void => {
    const isThere = sized.some(([{ id }]) => id === widget.id);
    setSized(
      isThere
        ? sized.map(([each, span]) => [each.id === widget.id ? widget : each, span])
        : [...sized, [widget, usualSpan(widget)]],
    );
  };
  const isChanged = name !== of.name || JSON.stringify(sized) !== JSON.stringify(former);
  return { name, setName, sized, setSized, put, saving, isChanged };
}

/** A dashboard while it is put together; it is saved as a whole. */
export function EditDashboard({
  env,
  of,
  onDone,
}: {
  readonly env: string;
  readonly of: Dashboard;
  readonly onDone: () => void;
}) {
  const { name, setName, sized, setSized, put, saving, isChanged } = useDraft(env, of, onDone);
  const [shown, setShown] = useState<Widget | 'new'>();
  const close = (): void => setShown(undefined);
  const told = saving.error === null ? undefined : Problem.of(saving.error).at({ name: 'name' });
  const isShort = name.trim().length < 3;
  return (
    <>
      <PageHeader
        title={`Edit ${of.name}`}
        actions={
          <>
            {!isChanged && <Button onClick={onDone}>Stop editing</Button>}
            <Button onClick={() => setShown('new')}>
              <Plus size={14} aria-hidden />
              Add widget
            </Button>
          </>
        }
      />
      <Body>
        <TextField
          label="Name"
          value={name}
          maxLength={256}
          error={isShort ? 'must be 3 characters at least' : told?.faults.name}
          onChange={({ target }) => setName(target.value)}
        />
        {saving.error !== null && <ProblemBox error={saving.error} details={told?.others} />}
        <Arranged env={env} sized={sized} onChange={setSized} onEdit={setShown} />
      </Body>
      {isChanged && (
        <SaveBar change={saving.change}>
          <Button onClick={onDone}>Discard changes</Button>
          <Button look="primary" disabled={saving.isPending || isShort} onClick={() => saving.mutate()}>
            Save dashboard
          </Button>
        </SaveBar>
      )}
      {shown !== undefined && (
        <WidgetForm
          env={env}
          of={shown === 'new' ? undefined : shown}
          onPut={(widget) => {
            put(widget);
            close();
          }}
          onClose={close}
        />
      )}
    </>
  );
}

/** Widgets where they will stand, each with what moves, widens, changes and removes it. */
function Arranged({
  env,
  sized,
  onChange,
  onEdit,
}: {
  readonly env: string;
  readonly sized: readonly Sized[];
  readonly onChange: (sized: readonly Sized[]) => void;
  readonly onEdit: (widget: Widget) => void;
}) {
  const [asOfMs] = useState(asOf);
  const asked = { env, span: spanOf({}, asOfMs), search: {} };
  if (sized.length === 0)
    return (
      <Empty title="No widgets yet">
        Add the first: one figure, figures over time, or what there is most of.
      </Empty>
    );
  const moved = (at: number, by: -1 | 1): readonly Sized[] => {
    const [widget] = sized.slice(at, at + 1);
    const others = sized.toSpliced(at, 1);
    return widget === undefined ? sized : others.toSpliced(at + by, 0, widget);
  };
  const places = placesOf(laidOut(sized));
  return (
    <div className={styles['grid']}>
      {places.map(({ widget, column, span, row, rows }, at) => (
        <div
          key={widget.id}
          className={styles['cell']}
          data-small={widget.type === 'stats' || undefined}
          style={{ gridColumn: `${column} / span ${span}`, gridRow: `${row} / span ${rows}` }}
        >
          <Tools
            widget={widget}
            span={span}
            onForward={at === 0 ? undefined : () => onChange(moved(at, -1))}
            onBack={at === sized.length - 1 ? undefined : () => onChange(moved(at, 1))}
            onSpan={(width) => onChange(sized.with(at, [widget, width]))}
            onEdit={() => onEdit(widget)}
            onRemove={() => onChange(sized.toSpliced(at, 1))}
          />
          <WidgetView widget={widget} asked={asked} by={undefined} onZoom={() => undefined} />
        </div>
      ))}
    </div>
  );
}

function Tools({
  widget: { title },
  span,
  onForward,
  onBack,
  onSpan,
  onEdit,
  onRemove,
}: {
  readonly widget: Widget;
  readonly span: number;
  readonly onForward: (() => void) | undefined;
  readonly onBack: (() => void) | undefined;
  readonly onSpan: (span: number) => void;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}) {
  return (
    <div className={styles['tools']} role="group" aria-label={`Widget ${title}`}>
      <IconButton label={`Move ${title} forward`} disabled={onForward === undefined} onClick={onForward}>
        <ArrowLeft size={14} aria-hidden />
      </IconButton>
      <IconButton label={`Move ${title} back`} disabled={onBack === undefined} onClick={onBack}>
        <ArrowRight size={14} aria-hidden />
      </IconButton>
      <select
        aria-label={`Width of ${title}`}
        value={span}
        onChange={({ target }) => onSpan(Number(target.value))}
      >
        {widths.map(([width, words]) => (
          <option key={width} value={width}>
            {words}
          </option>
        ))}
      </select>
      <IconButton label={`Edit ${title}`} onClick={onEdit}>
        <Pencil size={14} aria-hidden />
      </IconButton>
      <IconButton label={`Remove ${title}`} onClick={onRemove}>
        <Trash2 size={14} aria-hidden />
      </IconButton>
    </div>
  );
}
