import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { FilterBox, TextField } from '../../kit/field.tsx';
import { Toolbar } from '../../kit/page.tsx';
import { Tag } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { spoken } from '../organization/questions.ts';
import { type Group, groupsPerPage, listedGroups } from './questions.ts';

const route = getRouteApi('/$env/settings/groups');

/** Groups of users, which hold roles on whatever has the group. */
export function Groups() {
  const { env } = route.useParams();
  const { q, page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/$env/settings/groups' });
  const [isCreating, setCreating] = useState(false);
  const may = useRights({ env });
  const { data, error } = useQuery(listedGroups(env, { q, page }));
  const create = may('GROUP', 'C') ? (
    <Button look="primary" onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden />
      Create group
    </Button>
  ) : undefined;
  return (
    <>
      <Toolbar end={data !== undefined && data.data.length > 0 ? create : undefined}>
        <FilterBox
          label="Filter by name"
          value={q}
          onChange={(next) => void navigate({ search: next === '' ? {} : { q: next }, replace: true })}
        />
      </Toolbar>
      <DataTable
        label="Groups"
        rows={data?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(env)}
        paging={
          data && {
            page,
            perPage: groupsPerPage,
            total: data.page.total_elements,
            onPage: (next) => void navigate({ search: (before) => ({ ...before, page: next }) }),
          }
        }
        empty={
          q === undefined ? (
            <Empty title="No groups yet" action={create}>
              Members of a group hold its roles on every API and application that has the group: a team, a
              department, a partner.
            </Empty>
          ) : (
            <Empty
              title="No group matches"
              action={<Button onClick={() => void navigate({ search: {} })}>Clear the filter</Button>}
            >
              No group has “{q}” in its name.
            </Empty>
          )
        }
      />
      {isCreating && <CreateGroup env={env} onClose={() => setCreating(false)} />}
    </>
  );
}

function columnsOf(env: string): readonly Column<Group>[] {
  const role = (name: string | undefined) =>
    name === undefined ? <span className="quiet">none</span> : <Tag>{spoken(name)}</Tag>;
  return [
    {
      title: 'Name',
      cell: ({ id, name }) => (
        <Link to="/$env/settings/groups/$group" params={{ env, group: id }}>
          {name}
        </Link>
      ),
    },
    { title: 'Role on APIs', cell: ({ roles }) => role(roles.API) },
    { title: 'Role on applications', cell: ({ roles }) => role(roles.APPLICATION) },
    {
      title: 'Given to',
      cell: ({ event_rules: rules }) => <span className="second">{rulesOf(rules)}</span>,
    },
    { title: 'Changed', align: 'end', cell: ({ updated_at: at }) => <Time at={at} /> },
  ];
}

function rulesOf(rules: Group['event_rules']): string {
  const has = (event: string): boolean => rules.some((rule) => rule.event === event);
  if (has('API_CREATE') && has('APPLICATION_CREATE')) return 'every new API and application';
  if (has('API_CREATE')) return 'every new API';
  return has('APPLICATION_CREATE') ? 'every new application' : 'what is given it by hand';
}

function CreateGroup({ env, onClose }: { readonly env: string; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const creating = useChange({
    change: () =>
      answerOf(
        api.POST('/management/organizations/{orgId}/environments/{envId}/configuration/groups', {
          params: { path: { orgId: organization, envId: env } },
          body: { name },
        }),
      ),
    touches: [['groups', env]],
    onDone: ({ id }) => void navigate({ to: '/$env/settings/groups/$group', params: { env, group: id } }),
  });
  return (
    <FormDialog
      title="Create group"
      about="Its roles and members are chosen on its page."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Create group', mutation: creating, isReady: name.trim() !== '' }}
    >
      <TextField
        label="Name"
        value={name}
        maxLength={256}
        autoFocus
        error={Problem.at(creating.error, 'name')}
        onChange={({ target: { value } }) => setName(value)}
      />
    </FormDialog>
  );
}
