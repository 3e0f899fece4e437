import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { statusGroups } from '../traffic/search.ts';
import { anySpan } from './built-in.ts';
import styles from './dashboards.module.css';
import { type Measure, measureWords } from './figures.ts';
import { kindOf, offeredFacets, offeredMetrics, type Widget } from './questions.ts';

const types: readonly (readonly [Widget['type'], string])[] = [
  ['stats', 'One figure'],
  ['time-series-line', 'Over time, as lines'],
  ['time-series-bar', 'Over time, as bars'],
  ['horizontal-bar', 'Groups, as a list with bars'],
  ['vertical-bar', 'Groups, as columns'],
  ['doughnut', 'Groups, as a doughnut'],
  ['pie', 'Groups, as a pie'],
  ['polarArea', 'Groups, by their radius'],
];

/** Several measures of one metric, beside each other. */
const percentiles = 'P50,P95,P99';
const ofAll = '';
const limits = ['3', '5', '6', '10', '20'] as const;

/** What is written of a widget, in the words of its fields. */
interface Written {
  readonly title: string;
  readonly type: Widget['type'];
  readonly metric: string;
  readonly measures: string;
  readonly by: string;
  readonly status: string;
  readonly limit: string;
}

const statusOf = (widget: Widget): string => {
  const [filter] = widget.request.metrics[0]?.filters ?? [];
  return filter?.name === 'HTTP_STATUS_CODE_GROUP' && typeof filter.value === 'string' ? filter.value : ofAll;
};

const writtenOf = (widget: Widget | undefined): Written => ({
  title: widget?.title ?? '',
  type: widget?.type ?? 'time-series-bar',
  metric: widget?.request.metrics[0]?.name ?? 'HTTP_REQUESTS',
  measures: widget?.request.metrics[0]?.measures?.join(',') ?? '',
  by: widget?.request.by?.[0] ?? '',
  status: widget === undefined ? ofAll : statusOf(widget),
  limit: String(widget?.request.limit ?? 6),
});

const isMeasure = (name: string): name is Measure => Object.hasOwn(measureWords, name);

/** The widget that the fields say; what they do not ask for stays as it was. */
function widgetOf({ title, type, metric, measures, by, status, limit }: Written, former?: Widget): Widget {
  const kind = kindOf(type);
  const isGrouped = kind !== 'measures' && by !== '';
  const wished = measures.split(',').filter(isMeasure);
  const [first] = wished;
  return {
    id: former?.id ?? `w${Date.now().toString(36)}`,
    title: title.trim(),
    ...(former?.description !== undefined && { description: former.description }),
    type,
    layout: former?.layout ?? { x: 0, y: 0, cols: 6, rows: 3 },
    request: {
      type: kind,
      timeRange: former?.request.timeRange ?? anySpan,
      ...(former?.request.filters !== undefined && { filters: former.request.filters }),
      ...(isGrouped && { by: [by], limit: Number(limit) }),
      metrics: [
        {
          name: metric,
          ...(wished.length > 0 && { measures: wished }),
          ...(status !== ofAll && {
            filters: [{ name: 'HTTP_STATUS_CODE_GROUP', operator: 'EQ' as const, value: status }],
          }),
          ...(isGrouped && first !== undefined && { sorts: [{ measure: first, order: 'DESC' as const }] }),
        },
      ],
    },
  };
}

/** What a widget shows, and how. */
export function WidgetForm({
  env,
  of,
  onPut,
  onClose,
}: {
  readonly env: string;
  /** Undefined for a new one. */
  readonly of: Widget | undefined;
  readonly onPut: (widget: Widget) => void;
  readonly onClose: () => void;
}) {
  const [written, setWritten] = useState(writtenOf(of));
  const [isTried, setTried] = useState(false);
  const change = (part: Partial<Written>): void => setWritten((before) => ({ ...before, ...part }));
  const isGroups = kindOf(written.type) === 'facets';
  const faults = {
    title: written.title.trim().length < 3 ? 'must be 3 characters at least' : undefined,
    by: isGroups && written.by === '' ? 'must be chosen for groups' : undefined,
  };
  const put = (): void => {
    setTried(true);
    if (faults.title === undefined && faults.by === undefined) onPut(widgetOf(written, of));
  };
  return (
    <FormDialog
      title={of === undefined ? 'Add widget' : `Edit ${of.title}`}
      isOpen
      onClose={onClose}
      submit={{
        verb: of === undefined ? 'Add widget' : 'Change widget',
        mutation: { mutate: put, isPending: false, error: null },
      }}
    >
      <div className={styles['form']}>
        <TextField
          label="Title"
          value={written.title}
          maxLength={256}
          autoFocus
          error={isTried ? faults.title : undefined}
          onChange={({ target }) => change({ title: target.value })}
        />
        <SelectField
          label="Shows"
          value={written.type}
          options={types}
          onChoose={(type) => change({ type })}
        />
        <What env={env} written={written} onChange={change} />
        {kindOf(written.type) !== 'measures' && (
          <GroupedBy env={env} written={written} error={isTried ? faults.by : undefined} onChange={change} />
        )}
      </div>
    </FormDialog>
  );
}

interface PartProps {
  readonly env: string;
  readonly written: Written;
  readonly onChange: (part: Partial<Written>) => void;
}

function What({ env, written, onChange }: PartProps) {
  const { data = [] } = useQuery(offeredMetrics(env));
  const metric = data.find(({ name }) => name === written.metric);
  const measures = metric?.measures ?? [];
  const [usual = ''] = measures;
  const hasPercentiles = measures.includes('P50') && kindOf(written.type) !== 'facets';
  return (
    <>
      <SelectField
        label="Of calls"
        value={written.metric}
        options={data.map(({ name, label }) => [name, label] as const)}
        onChoose={(name) => onChange({ metric: name, measures: '' })}
      />
      <SelectField
        label="Computed as"
        value={written.measures === '' ? usual : written.measures}
        options={[
          ...measures.map((name) => [name, measureWords[name]] as const),
          ...(hasPercentiles ? [[percentiles, 'p50, p95 and p99'] as const] : []),
        ]}
        onChoose={(chosen) => onChange({ measures: chosen })}
      />
      <SelectField
        label="Only those answered with"
        value={written.status}
        options={[[ofAll, 'Any status'], ...statusGroups.map((group) => [group, group] as const)]}
        onChoose={(status) => onChange({ status })}
      />
    </>
  );
}

function GroupedBy({ env, written, error, onChange }: PartProps & { readonly error: string | undefined }) {
  const { data = [] } = useQuery(offeredFacets(env, written.metric));
  return (
    <>
      <SelectField
        label="Grouped by"
        value={written.by}
        error={error}
        options={[['', 'Nothing'], ...data.map(({ name, label }) => [name, label] as const)]}
        onChoose={(by) => onChange({ by })}
      />
      {written.by !== '' && (
        <SelectField
          label="At most"
          value={written.limit}
          options={[...new Set([...limits, written.limit])].map(
            (limit) => [limit, `${limit} groups`] as const,
          )}
          onChoose={(limit) => onChange({ limit })}
        />
      )}
    </>
  );
}
