import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useOrganizationRights } from '../../api/rights.ts';
import { waysIn } from '../../api/session.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { FilterBox, SelectField, TextField } from '../../kit/field.tsx';
import { PageHeader, Toolbar } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { listedUsers, stateOf, type User, usersPerPage } from './questions.ts';

const route = getRouteApi('/_org/users');

/** Who can sign in, and which programs can. */
export function Users() {
  const { q, page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/_org/users' });
  const [isCreating, setCreating] = useState(false);
  const may = useOrganizationRights();
  const { data, error } = useQuery(listedUsers({ q, page }));
  return (
    <>
      <PageHeader
        title="Users"
        actions={
          may('USER', 'C') && (
            <Button look="primary" onClick={() => setCreating(true)}>
              <Plus size={16} aria-hidden />
              Create user
            </Button>
          )
        }
      />
      <Toolbar>
        <FilterBox
          label="Filter by name or mail address"
          value={q}
          onChange={(next) => void navigate({ search: next === '' ? {} : { q: next }, replace: true })}
        />
      </Toolbar>
      <DataTable
        label="Users"
        rows={data?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={columns}
        paging={
          data && {
            page,
            perPage: usersPerPage,
            total: data.page.total_elements,
            onPage: (next) => void navigate({ search: (before) => ({ ...before, page: next }) }),
          }
        }
        empty={
          <Empty
            title="No user matches"
            action={<Button onClick={() => void navigate({ search: {} })}>Clear the filter</Button>}
          >
            Nobody has “{q}” in the name or mail address.
          </Empty>
        }
      />
      {isCreating && <CreateUser onClose={() => setCreating(false)} />}
    </>
  );
}

const columns: readonly Column<User>[] = [
  {
    title: 'Name',
    cell: ({ id, displayName }) => (
      <Link to="/_org/users/$user" params={{ user: id }}>
        {displayName}
      </Link>
    ),
  },
  { title: 'User name', cell: ({ username }) => <span className="mono second clip">{username}</span> },
  { title: 'Mail address', cell: ({ email }) => <span className="second clip">{email ?? '–'}</span> },
  {
    title: 'State',
    cell: (user) => {
      const [tone, word] = stateOf(user);
      return <Status tone={tone}>{word}</Status>;
    },
  },
  {
    title: 'Kind',
    cell: ({ isServiceAccount, role }) => (
      <Tag>{isServiceAccount ? 'Program' : role === 'ADMIN' ? 'Administrator' : 'Person'}</Tag>
    ),
  },
  { title: 'Tokens', align: 'end', cell: ({ number_of_active_tokens: tokens }) => tokens },
  {
    title: 'Last sign-in',
    align: 'end',
    cell: ({ lastConnectionAt: at }) => (at === undefined ? '–' : <Time at={at} />),
  },
];

type Kind = 'person' | 'program';

/** Somebody new: a person with a first password, or a program, which has tokens alone. */
function CreateUser({ onClose }: { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [kind, setKind] = useState<Kind>('person');
  const [written, setWritten] = useState({ username: '', displayName: '', email: '', password: '' });
  const [role, setRole] = useState<User['role']>('USER');
  const creating = useChange({
    change: () => createUser(kind, { ...written, role }),
    touches: [['users'], ['people']],
    onDone: ({ id }) => void navigate({ to: '/_org/users/$user', params: { user: id } }),
  });
  const field = (name: keyof typeof written) => ({
    value: written[name],
    error: Problem.at(creating.error, name),
    onChange: ({ target: { value } }: { readonly target: { readonly value: string } }) =>
      setWritten((before) => ({ ...before, [name]: value })),
  });
  return (
    <FormDialog
      title="Create user"
      isOpen
      onClose={onClose}
      submit={{ verb: 'Create user', mutation: creating, isReady: written.username.trim() !== '' }}
    >
      <Segments
        label="What signs in"
        segments={[
          ['person', 'A person'],
          ['program', 'A program'],
        ]}
        value={kind}
        onChoose={setKind}
      />
      <TextField
        label="User name"
        hint="What is typed at sign-in; it never changes"
        autoComplete="off"
        maxLength={128}
        autoFocus
        {...field('username')}
      />
      <TextField label="Name" hint="As others see it" isOptional maxLength={256} {...field('displayName')} />
      <TextField label="Mail address" type="email" isOptional maxLength={256} {...field('email')} />
      {kind === 'person' ? (
        <FirstPassword {...field('password')} />
      ) : (
        <p className="second">
          A program has no password. It signs in by tokens, which you make on its page.
        </p>
      )}
      <SelectField
        label="May"
        value={role}
        options={[
          ['USER', 'Read, and what single roles give'],
          ['ADMIN', 'Everything in the organization and its environments'],
        ]}
        onChange={({ target: { value } }) => setRole(value === 'ADMIN' ? 'ADMIN' : 'USER')}
      />
    </FormDialog>
  );
}

function FirstPassword(field: {
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (event: { readonly target: { readonly value: string } }) => void;
}) {
  const { data: ways } = useQuery(waysIn);
  const areInvited = ways?.authentication.passwordReset.enabled === true;
  return (
    <TextField
      label="First password"
      hint={
        areInvited
          ? '12 to 256 characters. Left out, a link to choose one is sent to the mail address'
          : '12 to 256 characters. Nobody gets mail: hand it over, it can be changed at once'
      }
      isOptional={areInvited}
      type="password"
      autoComplete="new-password"
      maxLength={256}
      {...field}
    />
  );
}

function createUser(
  kind: Kind,
  wish: Pick<User, 'username' | 'displayName' | 'role'> & {
    readonly email: string;
    readonly password: string;
  },
): Promise<User> {
  const { username, displayName, email, password, role } = wish;
  return answerOf(
    api.POST('/management/organizations/{orgId}/users', {
      params: { path: { orgId: organization } },
      body: {
        username,
        role,
        service: kind === 'program',
        ...(displayName !== '' && { displayName }),
        ...(email !== '' && { email }),
        ...(kind === 'person' && password !== '' && { password }),
      },
    }),
  );
}
