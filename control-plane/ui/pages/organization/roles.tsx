import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useOrganizationRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { PageHeader, Toolbar } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { type Column, DataTable, usePages } from '../../kit/table.tsx';
import { Empty } from '../../kit/told.tsx';
import { type Role, type RoleScope, roleScopes, rolesOf, scopeWords, spoken } from './questions.ts';

const route = getRouteApi('/_org/roles');
const shownScopes: readonly RoleScope[] = ['ORGANIZATION', 'ENVIRONMENT', 'API', 'APPLICATION', 'GROUP'];
const segments = shownScopes.map((scope) => [scope, scopeWords[scope][0]] as const);

/** Roles of the system, and those of people's own, by what they are held on. */
export function Roles() {
  const { scope = 'ORGANIZATION' } = route.useSearch();
  const navigate = useNavigate({ from: '/_org/roles' });
  const [isCreating, setCreating] = useState(false);
  const may = useOrganizationRights();
  const { data, error } = useQuery(rolesOf(scope));
  const { data: known } = useQuery(roleScopes);
  const { rows, paging } = usePages(data);
  return (
    <>
      <PageHeader
        title="Roles"
        sub={`Held on ${scopeWords[scope][1]}`}
        actions={
          may('ROLE', 'C') && (
            <Button look="primary" onClick={() => setCreating(true)}>
              <Plus size={16} aria-hidden />
              Create role
            </Button>
          )
        }
      />
      <Toolbar>
        <Segments
          label="What roles are held on"
          segments={segments}
          value={scope}
          onChoose={(next) => void navigate({ search: next === 'ORGANIZATION' ? {} : { scope: next } })}
        />
      </Toolbar>
      <DataTable
        label="Roles"
        rows={rows}
        paging={paging}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(scope, known?.[scope]?.length)}
        empty={<Empty title="No roles yet">A role says what those who hold it may do.</Empty>}
      />
      {isCreating && <CreateRole scope={scope} roles={data ?? []} onClose={() => setCreating(false)} />}
    </>
  );
}

function columnsOf(scope: RoleScope, whole: number | undefined): readonly Column<Role>[] {
  return [
    {
      title: 'Name',
      cell: ({ name }) => (
        <Link to="/_org/roles/$scope/$role" params={{ scope, role: name }}>
          {spoken(name)}
        </Link>
      ),
    },
    {
      title: 'Made by',
      cell: ({ system }) => (system ? <Tag>System</Tag> : <Tag>Your own</Tag>),
    },
    {
      title: 'Default',
      cell: ({ default: isDefault }) =>
        isDefault ? <Status tone="ok">who has no other gets it</Status> : <span className="quiet">no</span>,
    },
    {
      title: 'Description',
      cell: ({ description }) => <span className="second clip">{description ?? '–'}</span>,
    },
    {
      title: 'Permits',
      align: 'end',
      cell: ({ permissions }) => {
        const held = Object.values(permissions).filter((letters) => letters.length > 0).length;
        return (
          <span className="num">
            {held} <span className="quiet">of {whole ?? '–'}</span>
          </span>
        );
      },
    },
  ];
}

/** A role of one's own, from nothing or from another one. */
function CreateRole({
  scope,
  roles,
  onClose,
}: {
  readonly scope: RoleScope;
  readonly roles: readonly Role[];
  readonly onClose: () => void;
}) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [like, setLike] = useState('');
  const creating = useChange({
    change: () =>
      answerOf(
        api.POST('/management/organizations/{orgId}/configuration/rolescopes/{scope}/roles', {
          params: { path: { orgId: organization, scope } },
          body: { name, description, permissions: permissionsOf(roles.find((role) => role.name === like)) },
        }),
      ),
    touches: [['roles', scope]],
    onDone: ({ name: role }) => void navigate({ to: '/_org/roles/$scope/$role', params: { scope, role } }),
  });
  return (
    <FormDialog
      title={`Create role: ${scopeWords[scope][0]}`}
      about={`It is held on ${scopeWords[scope][1]}.`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Create role', mutation: creating, isReady: name.trim() !== '' }}
    >
      <TextField
        label="Name"
        hint="It is kept in capitals, and never changes"
        value={name}
        maxLength={64}
        autoFocus
        error={Problem.at(creating.error, 'name')}
        onChange={({ target: { value } }) => setName(value)}
      />
      <TextField
        label="Description"
        hint="Whom it is for"
        isOptional
        value={description}
        maxLength={4_096}
        onChange={({ target: { value } }) => setDescription(value)}
      />
      <SelectField
        label="Begins as"
        hint="What it permits is changed on its page"
        value={like}
        options={[
          ['', 'Nothing permitted'],
          ...roles.map((role) => [role.name, `A copy of ${spoken(role.name)}`] as const),
        ]}
        onChange={({ target: { value } }) => setLike(value)}
      />
    </FormDialog>
  );
}

type Letter = 'C' | 'R' | 'U' | 'D';
const letters: readonly Letter[] = ['C', 'R', 'U', 'D'];

function permissionsOf(role: Role | undefined): Record<string, Letter[]> {
  return Object.fromEntries(
    Object.entries(role?.permissions ?? {}).map(([name, held]) => [
      name,
      letters.filter((letter) => held.includes(letter)),
    ]),
  );
}
