import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Bars } from '../../kit/bars.tsx';
import { ColumnBars } from '../../kit/columns.tsx';
import { Awaited, Panel } from '../../kit/page.tsx';
import { Pie } from '../../kit/pie.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { TimeChart } from '../../kit/time-chart.tsx';
import { Change } from '../traffic/dashboard.tsx';
import { useDeploymentMarks } from '../traffic/marks.ts';
import { useNaming } from '../traffic/narrow.tsx';
import type { Asked } from '../traffic/questions.ts';
import { type Narrowing, narrowingNames, narrowings, spanBefore } from '../traffic/search.ts';
import styles from './dashboards.module.css';
import { type Group, measureWords, sayOf, type Shown, widgetFigures } from './figures.ts';
import type { Widget } from './questions.ts';

interface Viewed {
  readonly widget: Widget;
  readonly asked: Asked;
  /** What figures over time are grouped by, in place of what the widget says. */
  readonly by: string | undefined;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

/** One widget of a dashboard with its figures. */
export function WidgetView(viewed: Viewed) {
  const { widget, asked, by } = viewed;
  const { data, error } = useQuery(widgetFigures(asked, widget.request, by));
  if (data === undefined)
    return (
      <Panel title={widget.title}>
        {error === null ? <Awaited lines={widget.type === 'stats' ? 2 : 7} /> : <ProblemBox error={error} />}
      </Panel>
    );
  if (data.kind === 'series') return <OverTime {...viewed} of={data} />;
  return (
    <Panel title={widget.title} isBare>
      {widget.description !== undefined && (
        <p className={`second ${styles['about']}`}>{widget.description}</p>
      )}
      {data.kind === 'figures' ? <Singles {...viewed} of={data} /> : <Groups {...viewed} of={data} />}
    </Panel>
  );
}

/** Single figures, each with how it has changed since the span before. */
function Singles({
  widget: { request },
  asked,
  of,
}: Viewed & { readonly of: Extract<Shown, { kind: 'figures' }> }) {
  const { data: before } = useQuery(widgetFigures({ ...asked, span: spanBefore(asked.span) }, request));
  const values = before?.kind === 'figures' ? before.figures : [];
  return (
    <dl className={styles['figures']}>
      {of.figures.map(({ name, unit, value }, at) => {
        const said = sayOf(unit)(value);
        return (
          <div key={name}>
            <dt className={of.figures.length === 1 ? 'hidden' : undefined}>{name}</dt>
            <dd>
              {said.value}
              {said.unit !== '' && <span>{said.unit}</span>}
              <Change now={value} before={values[at]?.value} isNeutral={unit !== 'MILLISECONDS'} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

const colors = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'] as const;
const ofStatus = new Map([
  ['1xx', '--series-6'],
  ['2xx', '--series-2'],
  ['3xx', '--series-5'],
  ['4xx', '--series-3'],
  ['5xx', '--bad'],
]);
const colorOf = (key: string, at: number): string =>
  ofStatus.get(key) ?? colors[at % colors.length] ?? '--series-1';

/** What a single grouping is called in searches; undefined for what calls are not narrowed by. */
const narrowingOf = ([by, ...more]: readonly string[] = []): Narrowing | undefined =>
  more.length > 0 ? undefined : narrowingNames.find((name) => narrowings[name] === by);

function Groups({ widget, asked, of }: Viewed & { readonly of: Extract<Shown, { kind: 'groups' }> }) {
  const { title, type, request } = widget;
  const narrowing = narrowingOf(request.by);
  const say = sayOf(of.unit);
  const most = Math.max(Number.MIN_VALUE, ...of.groups.map(({ value }) => value));
  const named = (group: Group): ReactNode => <Named asked={asked} by={narrowing} group={group} />;
  if (of.groups.length === 0) return <p className="second inset">None in this time.</p>;
  switch (type) {
    case 'doughnut':
    case 'pie':
    case 'polarArea':
      return (
        <Pie
          label={title}
          look={type === 'polarArea' ? 'polar' : type}
          parts={of.groups.map((group, at) => ({
            ...group,
            name: named(group),
            color: colorOf(group.key, at),
            figure: say(group.value),
          }))}
        />
      );
    case 'vertical-bar':
      return (
        <ColumnBars
          label={title}
          columns={of.groups.map((group) => ({
            key: group.name,
            name: named(group),
            part: group.value / most,
            figure: say(group.value),
          }))}
        />
      );
    default:
      return (
        <Bars
          label={title}
          heads={['Name', headOf(widget)]}
          bars={of.groups.map((group) => ({
            key: group.name,
            name: named(group),
            part: group.value / most,
            figures: [say(group.value)],
          }))}
        />
      );
  }
}

function headOf({ request }: Widget): string {
  const [measure = 'COUNT'] = request.metrics[0]?.measures ?? [];
  return measure === 'COUNT' ? 'Calls' : measureWords[measure];
}

/** Leads to the calls that a group counts, where searches can say which those are. */
function Named({
  asked: { env, search },
  by,
  group: { key, name: own },
}: {
  readonly asked: Asked;
  readonly by: Narrowing | undefined;
  readonly group: Group;
}) {
  const nameOf = useNaming(env);
  const name = by === undefined ? own : nameOf(by, { key, name: own });
  if (by === undefined) return <span title={name}>{name}</span>;
  const { page: _page, ...rest } = search;
  return (
    <Link to="/$env/logs" params={{ env }} search={{ ...rest, [by]: key }} title={name}>
      {name}
    </Link>
  );
}

function OverTime({
  widget,
  asked,
  by,
  onZoom,
  of,
}: Viewed & { readonly of: Extract<Shown, { kind: 'series' }> }) {
  const marks = useDeploymentMarks(asked);
  const nameOf = useNaming(asked.env);
  const narrowing = narrowingOf(by === undefined ? widget.request.by : [by]);
  return (
    <TimeChart
      title={widget.title}
      stepsMs={of.stepsMs}
      stepMs={of.stepMs}
      series={of.lines.map(({ key, name, values }, at) => ({
        name: narrowing === undefined ? name : nameOf(narrowing, { key, name }),
        color: colorOf(key, at),
        values,
      }))}
      look={widget.type === 'time-series-bar' ? 'stack' : 'lines'}
      say={sayOf(of.unit)}
      marks={marks}
      onZoom={onZoom}
    />
  );
}
