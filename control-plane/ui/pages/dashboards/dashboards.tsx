import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useRights } from '../../api/rights.ts';
import { useCreation } from '../../api/creation.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { countOf } from '../../kit/numbers.ts';
import { Body, PageHeader, Panel } from '../../kit/page.tsx';
import { DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { builtIn, builtIns } from './built-in.ts';
import styles from './dashboards.module.css';
import { createDashboard, dashboardsPerPage, listedDashboards, type Widget } from './questions.ts';

const route = getRouteApi('/$env/dashboards');

/** Dashboards that every environment has, and those that its people have made. */
export function Dashboards() {
  const { env } = route.useParams();
  const may = useRights({ env });
  const [isCreating, setCreating] = useState(false);
  return (
    <>
      <PageHeader
        title="Dashboards"
        actions={
          may('DASHBOARD', 'C') && (
            <Button look="primary" onClick={() => setCreating(true)}>
              <Plus size={16} aria-hidden />
              Create dashboard
            </Button>
          )
        }
      />
      <Body>
        {may('DASHBOARD', 'R') && <Made env={env} />}
        <Panel title="Always there" isBare>
          <DataTable
            label="Always there"
            leads
            isInner
            rows={[apiTraffic, ...builtIns]}
            keyOf={({ id }) => id}
            columns={[
              {
                title: 'Name',
                cell: ({ id, name }) =>
                  id === apiTraffic.id ? (
                    <Link to="/$env/analytics" params={{ env }}>
                      {name}
                    </Link>
                  ) : (
                    <Link to="/$env/dashboards/$dashboard" params={{ env, dashboard: id }}>
                      {name}
                    </Link>
                  ),
              },
              { title: 'What it shows', cell: ({ about }) => <span className="second">{about}</span> },
            ]}
          />
        </Panel>
      </Body>
      {isCreating && <CreateDashboard env={env} from="http-apis" onClose={() => setCreating(false)} />}
    </>
  );
}

const apiTraffic = {
  id: 'traffic',
  name: 'API traffic',
  about: 'Calls by status, percentiles, and how long calls took, as the page Analytics',
};

function Made({ env }: { readonly env: string }) {
  const { page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/$env/dashboards' });
  const { data, error } = useQuery(listedDashboards(env, page));
  return (
    <Panel title="Of this environment" isBare>
      <DataTable
        label="Dashboards"
        leads
        isInner
        rows={data?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'Name',
            cell: ({ id, name }) => (
              <Link to="/$env/dashboards/$dashboard" params={{ env, dashboard: id }}>
                {name}
              </Link>
            ),
          },
          {
            title: 'Shows',
            cell: ({ widgets }) => <span className="second">{countOf(widgets.length, 'widget')}</span>,
          },
          { title: 'Changed', align: 'end', cell: ({ lastModified }) => <Time at={lastModified} /> },
        ]}
        paging={
          data && {
            page,
            perPage: dashboardsPerPage,
            total: data.pagination.totalCount,
            onPage: (next) => void navigate({ search: { page: next } }),
          }
        }
        empty={
          <p className="second inset">
            Nobody has made one yet. Create one, or open one of those below and make a copy of it.
          </p>
        }
      />
    </Panel>
  );
}

const places = { name: 'name', from: 'widgets' } as const;
type Faults = Readonly<Partial<Record<keyof typeof places, string>>>;
const nothing = 'nothing';

const faultsOf = ({ name }: { readonly name: string }): Faults =>
  name.trim().length < 3 ? { name: 'must be 3 characters at least' } : {};

/** Makes a dashboard out of a built-in one, out of nothing, or out of the widgets of another. */
export function CreateDashboard({
  env,
  from,
  copied,
  onClose,
}: {
  readonly env: string;
  /** The built-in one that is offered first. */
  readonly from?: string;
  /** What it is a copy of, in place of that. */
  readonly copied?: { readonly name: string; readonly widgets: readonly Widget[] };
  readonly onClose: () => void;
}) {
  const navigate = useNavigate();
  const {
    wish,
    change,
    faults: told,
    close,
    submit,
  } = useCreation({
    blank: { name: copied === undefined ? '' : `Copy of ${copied.name}`, from: from ?? nothing },
    faultsOf,
    places,
    create: ({ name, from: chosen }, key) =>
      createDashboard(env, { name, widgets: [...(copied?.widgets ?? builtIn(chosen)?.widgets ?? [])] }, key),
    touches: [['dashboards', env, 'list']],
    onMade: ({ id }) =>
      void navigate({ to: '/$env/dashboards/$dashboard', params: { env, dashboard: id }, search: {} }),
    onClose,
  });
  const faults: Faults = told;
  return (
    <FormDialog
      title={copied === undefined ? 'Create dashboard' : `Copy ${copied.name}`}
      about="Everybody who may read dashboards of this environment finds it; figures are those of the APIs that each may read."
      isOpen
      onClose={close}
      submit={{ verb: 'Create dashboard', ...submit }}
    >
      <div className={styles['form']}>
        <TextField
          label="Name"
          value={wish.name}
          error={faults.name}
          maxLength={256}
          autoFocus
          onChange={({ target }) => change({ name: target.value })}
        />
        {copied === undefined && (
          <SelectField
            label="Begins with"
            value={wish.from}
            error={faults.from}
            options={[[nothing, 'No widgets'], ...builtIns.map(({ id, name }) => [id, name] as const)]}
            onChoose={(chosen) => change({ from: chosen })}
          />
        )}
      </div>
    </FormDialog>
  );
}
