import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Button } from '../../../kit/button.tsx';
import { FilterBox } from '../../../kit/field.tsx';
import { PageHeader, Toolbar } from '../../../kit/page.tsx';
import { Status, Tag } from '../../../kit/status.tsx';
import { type Column, DataTable, usePages } from '../../../kit/table.tsx';
import { Empty } from '../../../kit/told.tsx';
import { keyOf, scopeWords, type Template, templates, typeWords } from './questions.ts';

const route = getRouteApi('/_org/templates');

/** What mails and notifications say: our own words, or those of the organization. */
export function Templates() {
  const { q = '' } = route.useSearch();
  const navigate = useNavigate({ from: '/_org/templates' });
  const { data, error } = useQuery(templates);
  const found = data?.filter(({ name, title }) => `${name} ${title}`.toLowerCase().includes(q.toLowerCase()));
  const { rows, paging } = usePages(found);
  return (
    <>
      <PageHeader title="Notification templates" sub="What mails and the console say" />
      <Toolbar>
        <FilterBox
          label="Filter by name or subject"
          value={q}
          onChange={(next) => void navigate({ search: next === '' ? {} : { q: next }, replace: true })}
        />
      </Toolbar>
      <DataTable
        label="Notification templates"
        rows={rows}
        error={error}
        keyOf={keyOf}
        columns={columns}
        paging={paging}
        empty={
          <Empty
            title="No template matches"
            action={<Button onClick={() => void navigate({ search: {} })}>Clear the filter</Button>}
          >
            None has “{q}” in its name or subject.
          </Empty>
        }
      />
    </>
  );
}

const columns: readonly Column<Template>[] = [
  {
    title: 'Name',
    cell: (template) => (
      <Link to="/_org/templates/$template" params={{ template: keyOf(template) }}>
        {template.name}
      </Link>
    ),
  },
  { title: 'What of', cell: ({ scope }) => <span className="second">{scopeWords[scope]}</span> },
  { title: 'Read in', cell: ({ type }) => <Tag>{typeWords[type]}</Tag> },
  { title: 'Subject', cell: ({ title }) => <span className="second clip">{title}</span> },
  {
    title: 'Words',
    cell: ({ id, enabled }) =>
      id === undefined || !enabled ? <Status tone="idle">Default</Status> : <Status tone="ok">Own</Status>,
  },
];
