import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { organization } from '../../api/client.ts';
import { Button, buttonLook } from '../../kit/button.tsx';
import { SelectField } from '../../kit/field.tsx';
import { JsonDifference } from '../../kit/json-difference.tsx';
import { ToldDialog } from '../../kit/dialog.tsx';
import { now } from '../../kit/now.ts';
import { dayMs, moment, shortId } from '../../kit/numbers.ts';
import { Copy } from '../../kit/copy.tsx';
import { Facts, PageHeader } from '../../kit/page.tsx';
import type { Choice } from '../../kit/search-field.tsx';
import { Tag } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { PersonField } from '../members/person-field.tsx';
import { spoken } from '../organization/questions.ts';
import styles from './audit.module.css';
import {
  type Audited,
  audited,
  auditedTypes,
  auditEvents,
  type AuditedType,
  type AuditSearch,
  auditsPerPage,
  environmentAuditEvents,
} from './questions.ts';

const environmentRoute = getRouteApi('/$env/audit');
const organizationRoute = getRouteApi('/_org/audit');

/** What was changed in an environment: by whom, from where, and what exactly. */
export function EnvironmentAudit() {
  const { env } = environmentRoute.useParams();
  const search = environmentRoute.useSearch();
  const navigate = useNavigate({ from: '/$env/audit' });
  return <Audit env={env} search={search} onSearch={(next) => void navigate({ search: next })} />;
}

/** The same of the whole organization. */
export function OrganizationAudit() {
  const search = organizationRoute.useSearch();
  const navigate = useNavigate({ from: '/_org/audit' });
  return <Audit env={undefined} search={search} onSearch={(next) => void navigate({ search: next })} />;
}

/** What ids stand for: `API:<id>:name`. */
type Names = ReadonlyMap<string, string>;

interface Props {
  readonly env: string | undefined;
  readonly search: AuditSearch;
  readonly onSearch: (search: AuditSearch) => void;
}

function Audit({ env, search, onSearch }: Props) {
  const [opened, setOpened] = useState<Audited>();
  const [nowMs] = useState(now);
  const { data, error } = useQuery(audited(env, search, nowMs));
  const names: Names = new Map(Object.entries(data?.metadata ?? {}));
  const page = search.page ?? 1;
  const { page: _, ...filters } = search;
  const isFiltered = Object.keys(filters).length > 0;
  const base = `/management/organizations/${organization}`;
  const place = env === undefined ? base : `${base}/environments/${env}`;
  return (
    <>
      <PageHeader
        title="Audit"
        sub={env === undefined ? 'of the organization and its environments' : 'of this environment'}
        actions={
          <a className={buttonLook.plain} href={`${place}/audit/_export${exportQuery(filters, nowMs)}`}>
            <Download size={14} aria-hidden />
            Export NDJSON
          </a>
        }
      />
      <Filters {...{ env, names, onSearch }} search={filters} />
      <DataTable
        label="Audit"
        rows={data?.content}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(names, setOpened)}
        paging={
          data && {
            page,
            perPage: auditsPerPage,
            total: data.totalElements,
            onPage: (next) => onSearch({ ...filters, ...(next > 1 && { page: next }) }),
          }
        }
        empty={
          isFiltered ? (
            <Empty
              title="No change matches"
              action={<Button onClick={() => onSearch({})}>Clear the filters</Button>}
            >
              Nothing was changed that fits all that is chosen above.
            </Empty>
          ) : (
            <Empty title="Nothing was changed yet">
              Whatever is changed here is written down: who did it, from where, and what was different after.
            </Empty>
          )
        }
      />
      {opened !== undefined && <Opened audited={opened} names={names} onClose={() => setOpened(undefined)} />}
    </>
  );
}

function exportQuery({ days, ...filters }: AuditSearch, nowMs: number): string {
  const query = new URLSearchParams(filters as Record<string, string>);
  if (days !== undefined) query.set('from', String(nowMs - days * dayMs));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

const spans: readonly (readonly [string, string])[] = [
  ['', 'Any time'],
  ['1', 'Last 24 hours'],
  ['7', 'Last 7 days'],
  ['30', 'Last 30 days'],
];

function Filters({ env, search, names, onSearch }: Props & { readonly names: Names }) {
  const { data: events } = useQuery(env === undefined ? auditEvents : environmentAuditEvents(env));
  const [chosen, setChosen] = useState<Choice>();
  const { user, event = '', type = '', days } = search;
  const person =
    user === undefined
      ? undefined
      : chosen?.id === user
        ? chosen
        : { id: user, name: names.get(`USER:${user}:name`) ?? shortId(user) };
  const without = (name: keyof AuditSearch): AuditSearch => {
    const { [name]: _, ...others } = search;
    return others;
  };
  return (
    <div className={styles['filters']}>
      <PersonField
        label="Who"
        value={person}
        onChoose={(next) => {
          setChosen(next);
          onSearch(next === undefined ? without('user') : { ...search, user: next.id });
        }}
      />
      <SelectField
        label="What happened"
        value={event}
        options={[['', 'Anything'], ...(events ?? []).map((each) => [each, spoken(each)] as const)]}
        onChange={({ target: { value } }) =>
          onSearch(value === '' ? without('event') : { ...search, event: value })
        }
      />
      <SelectField
        label="To what"
        value={type}
        options={[['', 'Anything'], ...auditedTypes.map((each) => [each, spoken(each)] as const)]}
        onChange={({ target: { value } }) =>
          onSearch(value === '' ? without('type') : { ...search, type: value as AuditedType })
        }
      />
      <SelectField
        label="When"
        value={days === undefined ? '' : String(days)}
        options={spans}
        onChange={({ target: { value } }) =>
          onSearch(value === '' ? without('days') : { ...search, days: Number(value) })
        }
      />
    </div>
  );
}

function columnsOf(names: Names, onOpen: (audited: Audited) => void): readonly Column<Audited>[] {
  return [
    {
      title: 'When',
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    {
      title: 'What',
      cell: (each) => (
        <button type="button" className={styles['event']} onClick={() => onOpen(each)}>
          {spoken(each.event)}
        </button>
      ),
    },
    {
      title: 'To',
      cell: (each) => (
        <>
          <Tag>{spoken(each.referenceType)}</Tag> <span className="clip">{nameOf(each, names)}</span>
        </>
      ),
    },
    {
      title: 'Who',
      cell: ({ user }) => <span className="clip">{names.get(`USER:${user}:name`) ?? user}</span>,
    },
    {
      title: 'From',
      cell: ({ address, origin }) => (
        <span className="second">
          {origin !== undefined && `${origin} `}
          {address !== undefined && <span className="mono">{address}</span>}
          {origin === undefined && address === undefined && '–'}
        </span>
      ),
    },
    {
      title: 'Places',
      align: 'end',
      cell: ({ patch }) => <span className="num">{placesOf(patch)}</span>,
    },
  ];
}

/** An object that is gone has no name any more, and is told by its id. */
function nameOf({ referenceType, referenceId }: Audited, names: Names): string {
  const name = names.get(`${referenceType}:${referenceId}:name`);
  return name === undefined || name === referenceId ? shortId(referenceId) : name;
}

function placesOf(patch: string | undefined): string {
  if (patch === undefined) return '–';
  try {
    const steps: unknown = JSON.parse(patch);
    return Array.isArray(steps) ? String(steps.length) : '–';
  } catch {
    return '–';
  }
}

/** One change: everything that is known of it, and what was different after. */
function Opened({
  audited: each,
  names,
  onClose,
}: {
  readonly audited: Audited;
  readonly names: Names;
  readonly onClose: () => void;
}) {
  const { createdAt, user, address, origin, properties, patch } = each;
  return (
    <ToldDialog title={spoken(each.event)} about={nameOf(each, names)} isOpen isWide onClose={onClose}>
      <Facts
        facts={[
          ['When', moment(createdAt)],
          ['Who', names.get(`USER:${user}:name`) ?? user],
          ['From', [origin, address].filter((part) => part !== undefined).join(', ') || '–'],
          [
            'To',
            <Copy
              key="to"
              text={each.referenceId}
              shown={`${each.referenceType} ${shortId(each.referenceId)}`}
            />,
          ],
          ...Object.entries(properties).map(
            ([key, value]) =>
              [
                spoken(key),
                names.get(`${key}:${value}:name`) === undefined ||
                names.get(`${key}:${value}:name`) === value ? (
                  <Copy key={key} text={value} shown={shortId(value)} />
                ) : (
                  names.get(`${key}:${value}:name`)
                ),
              ] as const,
          ),
          [
            'Event',
            <span key="event" className="mono">
              {each.event}
            </span>,
          ],
        ]}
      />
      {patch === undefined ? (
        <p className="second">
          No difference was written down: something was given, taken or ended, or it was before differences
          were kept.
        </p>
      ) : (
        <JsonDifference patch={patch} />
      )}
    </ToldDialog>
  );
}
