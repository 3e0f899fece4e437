import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { Menu } from '../../kit/menu.tsx';
import { Body, PageHeader, Unanswered } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { Empty } from '../../kit/told.tsx';
import { Narrowers, Refresh, useChosenNames, useLooking } from '../traffic/looking.tsx';
import { Chips, SpanMenu } from '../traffic/narrow.tsx';
import type { Asked } from '../traffic/questions.ts';
import { spanOf, type TrafficSearch } from '../traffic/search.ts';
import traffic from '../traffic/traffic.module.css';
import { builtIn, type BuiltIn } from './built-in.ts';
import { CreateDashboard } from './dashboards.tsx';
import styles from './dashboards.module.css';
import { EditDashboard } from './edit.tsx';
import { placesOf } from './layout.ts';
import { type Dashboard, deleteDashboard, oneDashboard, type Widget } from './questions.ts';
import { type DashboardSearch, groupings } from './search.ts';
import { WidgetView } from './widget.tsx';

const route = getRouteApi('/$env/dashboards/$dashboard');

/** One dashboard, built in or somebody's. */
export function DashboardPage() {
  const { env, dashboard: id } = route.useParams();
  const known = builtIn(id);
  return known === undefined ? <Kept env={env} id={id} key={id} /> : <View env={env} of={known} key={id} />;
}

function Kept({ env, id }: { readonly env: string; readonly id: string }) {
  const { data, error } = useQuery(oneDashboard(env, id));
  const [isEditing, setEditing] = useState(false);
  if (data === undefined) return <Unanswered title="Dashboard" error={error} />;
  if (isEditing)
    return <EditDashboard key={data.lastModified} env={env} of={data} onDone={() => setEditing(false)} />;
  return <View env={env} of={data} onEdit={() => setEditing(true)} />;
}

/** A dashboard as it is read. */
function View({
  env,
  of,
  onEdit,
}: {
  readonly env: string;
  readonly of: BuiltIn | Dashboard;
  /** Absent where nobody may change it. */
  readonly onEdit?: () => void;
}) {
  const search: DashboardSearch = route.useSearch();
  const navigate = useNavigate({ from: '/$env/dashboards/$dashboard' });
  const looking = useLooking();
  const mayEdit = useRights({ env })('DASHBOARD', 'U');
  const { by, ...narrowing } = search;
  const asked: Asked = { env, span: spanOf(narrowing, looking.asOfMs), search: narrowing };
  const names = useChosenNames(env, narrowing);
  const onSearch = (next: TrafficSearch): void =>
    void navigate({ search: { ...next, ...(by !== undefined && { by }) } });
  return (
    <>
      <PageHeader
        title={of.name}
        status={'about' in of ? <Status tone="info">Built in</Status> : undefined}
        sub={
          <Link to="/$env/dashboards" params={{ env }}>
            All dashboards
          </Link>
        }
        actions={
          <>
            <SpanMenu search={narrowing} onSearch={onSearch} />
            <Refresh {...looking} />
            <Deeds env={env} of={of} onEdit={onEdit} />
          </>
        }
      />
      <Body>
        <div className={traffic['line']}>
          <Chips env={env} search={narrowing} onSearch={onSearch} names={names} />
          <Narrowers {...{ asked, onSearch }} search={narrowing} />
          <span className={traffic['grow']} />
          <GroupBy
            by={by}
            onChoose={(next) =>
              void navigate({ search: { ...narrowing, ...(next !== undefined && { by: next }) } })
            }
          />
        </div>
        {of.widgets.length === 0 ? (
          <Nothing onEdit={onEdit} mayEdit={mayEdit} />
        ) : (
          <Grid
            widgets={of.widgets}
            asked={asked}
            by={by}
            onZoom={(from, to) => onSearch({ ...narrowing, from, to })}
          />
        )}
      </Body>
    </>
  );
}

const Nothing = ({
  onEdit,
  mayEdit,
}: {
  readonly onEdit: (() => void) | undefined;
  readonly mayEdit: boolean;
}) => (
  <Empty
    title="No widgets yet"
    action={
      mayEdit && onEdit !== undefined ? (
        <Button look="primary" onClick={onEdit}>
          Edit dashboard
        </Button>
      ) : undefined
    }
  >
    A widget shows one figure of calls: alone, over time, or of each API, application or status.
  </Empty>
);

function Grid({
  widgets,
  asked,
  by,
  onZoom,
}: {
  readonly widgets: readonly Widget[];
  readonly asked: Asked;
  readonly by: string | undefined;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}) {
  return (
    <div className={styles['grid']}>
      {placesOf(widgets).map(({ widget, column, span, row, rows }) => (
        <div
          key={widget.id}
          className={styles['cell']}
          data-small={widget.type === 'stats' || undefined}
          style={{ gridColumn: `${column} / span ${span}`, gridRow: `${row} / span ${rows}` }}
        >
          <WidgetView {...{ widget, asked, by, onZoom }} />
        </div>
      ))}
    </div>
  );
}

/** Groups all figures over time otherwise than their widgets do. */
function GroupBy({
  by,
  onChoose,
}: {
  readonly by: string | undefined;
  readonly onChoose: (by: string | undefined) => void;
}) {
  const chosen = groupings.find(([name]) => name === by)?.[1];
  return (
    <Menu
      trigger={
        <Button>
          {chosen === undefined ? 'Group over time' : `Over time by ${chosen}`}
          <ChevronDown size={14} aria-hidden />
        </Button>
      }
      items={[
        { id: 'own', label: 'As each widget says', onChoose: () => onChoose(undefined) },
        ...groupings.map(([name, words]) => ({ id: name, label: words, onChoose: () => onChoose(name) })),
      ]}
    />
  );
}

function Deeds({
  env,
  of,
  onEdit,
}: {
  readonly env: string;
  readonly of: BuiltIn | Dashboard;
  readonly onEdit: (() => void) | undefined;
}) {
  const may = useRights({ env });
  const [asked, setAsked] = useState<'copy' | 'delete'>();
  const close = (): void => setAsked(undefined);
  return (
    <>
      {may('DASHBOARD', 'C') && <Button onClick={() => setAsked('copy')}>Make a copy</Button>}
      {onEdit !== undefined && may('DASHBOARD', 'D') && (
        <Button look="quiet" onClick={() => setAsked('delete')}>
          Delete dashboard
        </Button>
      )}
      {onEdit !== undefined && may('DASHBOARD', 'U') && <Button onClick={onEdit}>Edit dashboard</Button>}
      {asked === 'copy' && <CreateDashboard env={env} copied={of} onClose={close} />}
      {asked === 'delete' && <Delete env={env} of={of} onClose={close} />}
    </>
  );
}

function Delete({
  env,
  of: { id, name },
  onClose,
}: {
  readonly env: string;
  readonly of: { readonly id: string; readonly name: string };
  readonly onClose: () => void;
}) {
  const navigate = useNavigate();
  const deleting = useChange({
    change: () => deleteDashboard(env, id),
    touches: [['dashboards', env, 'list']],
    onDone: () => void navigate({ to: '/$env/dashboards', params: { env } }),
    said: () => ({ text: `${name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${name}?`}
      about="Nothing brings it back. The calls that it counts stay."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete dashboard', mutation: deleting, isDangerous: true }}
    />
  );
}
