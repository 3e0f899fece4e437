import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useOrganizationRights } from '../../api/rights.ts';
import { waysIn, whoAmI } from '../../api/session.ts';
import { Button } from '../../kit/button.tsx';
import { useChoosing } from '../../kit/choosing.tsx';
import { Code } from '../../kit/code.tsx';
import { CopyVerb } from '../../kit/copy.tsx';
import { FormDialog, ToldDialog } from '../../kit/dialog.tsx';
import { FilterBox, SelectField, TextField } from '../../kit/field.tsx';
import { PageHeader, Toolbar } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { listedUsers, stateOf, type User, usersPerPage } from './questions.ts';
import { UsersTogether } from './users-together.tsx';

const route = getRouteApi('/_org/users');

/** Who can sign in, and which programs can. */
export function Users() {
  const { q, page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/_org/users' });
  const [isCreating, setCreating] = useState(false);
  const may = useOrganizationRights();
  const { data, error } = useQuery(listedUsers({ q, page }));
  const { data: me } = useQuery(whoAmI);
  const choosing = useChoosing(
    // Nobody locks himself out.
    data?.data.filter(({ id }) => id !== me?.id),
    ({ id }) => id,
    ({ displayName }) => displayName,
  );
  const mayChange = may('USER', 'U');
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
        choosing={mayChange ? choosing : undefined}
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
      {mayChange && <UsersTogether choosing={choosing} />}
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

/** How a person comes in first: by a link in a mail, a password that is made here, or one that is typed. */
type First = 'mail' | 'made' | 'typed';

const madeBytes = 15;

/** A password that nobody has thought of: 120 bits, as 20 letters, digits, `-` and `_`. */
const madePassword = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(madeBytes))))
    .replaceAll('+', '-')
    .replaceAll('/', '_');

/** Somebody new: a person with a first password, or a program, which has tokens alone. */
function CreateUser({ onClose }: { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const { data: ways } = useQuery(waysIn);
  const areInvited = ways?.authentication.passwordReset.enabled === true;
  const [kind, setKind] = useState<Kind>('person');
  const [chosen, setFirst] = useState<First>();
  const first = chosen ?? (areInvited ? 'mail' : 'typed');
  const [made, setMade] = useState<{ readonly user: User; readonly password: string }>();
  const [written, setWritten] = useState({ username: '', displayName: '', email: '', password: '' });
  const [role, setRole] = useState<User['role']>('USER');
  const creating = useChange({
    change: async () => {
      const password = { mail: '', typed: written.password, made: madePassword() }[first];
      return { user: await createUser(kind, { ...written, role, password }), password };
    },
    touches: [['users'], ['people']],
    onDone: (done) => (kind === 'person' && first === 'made' ? setMade(done) : show(done.user)),
  });
  const show = ({ id }: User): void => void navigate({ to: '/_org/users/$user', params: { user: id } });
  const field = (name: keyof typeof written) => ({
    value: written[name],
    error: Problem.at(creating.error, name),
    onChange: ({ target: { value } }: { readonly target: { readonly value: string } }) =>
      setWritten((before) => ({ ...before, [name]: value })),
  });
  if (made !== undefined) return <PasswordOnce {...made} onClose={() => show(made.user)} />;
  const isWhole = kind === 'program' || first !== 'mail' || written.email.trim() !== '';
  return (
    <FormDialog
      title="Create user"
      isOpen
      onClose={onClose}
      submit={{
        verb: 'Create user',
        mutation: creating,
        isReady: written.username.trim() !== '' && isWhole,
      }}
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
        <FirstPassword {...{ areInvited, first }} onChoose={setFirst} field={field('password')} />
      ) : (
        <p className="second">
          A program has no password. It signs in by tokens, which you make on its page.
        </p>
      )}
      <MayField role={role} onChoose={setRole} />
    </FormDialog>
  );
}

const MayField = ({
  role,
  onChoose,
}: {
  readonly role: User['role'];
  readonly onChoose: (role: User['role']) => void;
}) => (
  <SelectField
    label="May"
    value={role}
    options={[
      ['USER', 'Read, and what single roles give'],
      ['ADMIN', 'Everything in the organization and its environments'],
    ]}
    onChange={({ target: { value } }) => onChoose(value === 'ADMIN' ? 'ADMIN' : 'USER')}
  />
);

const firsts: readonly (readonly [first: First, word: string])[] = [
  ['mail', 'Invitation by mail'],
  ['made', 'Made, and shown once'],
  ['typed', 'Typed here'],
];

const firstWords: Readonly<Record<First, string>> = {
  mail: 'A link to choose a password is sent to the mail address.',
  made: 'A password is made, and shown to you once: hand it over. It can be changed at once.',
  typed: 'Nobody gets mail: hand it over. It can be changed at once.',
};

function FirstPassword({
  areInvited,
  first,
  onChoose,
  field,
}: {
  /** Whether mails are sent. */
  readonly areInvited: boolean;
  readonly first: First;
  readonly onChoose: (first: First) => void;
  readonly field: {
    readonly value: string;
    readonly error: string | undefined;
    readonly onChange: (event: { readonly target: { readonly value: string } }) => void;
  };
}) {
  return (
    <>
      <Segments
        label="How somebody comes in first"
        segments={firsts.filter(([each]) => each !== 'mail' || areInvited)}
        value={first}
        onChoose={onChoose}
      />
      {first === 'typed' ? (
        <TextField
          label="First password"
          hint={`12 to 256 characters. ${firstWords.typed}`}
          type="password"
          autoComplete="new-password"
          maxLength={256}
          {...field}
        />
      ) : (
        <p className="second">{firstWords[first]}</p>
      )}
    </>
  );
}

/** A password that was just made: this is the only place that ever shows it. */
function PasswordOnce({
  user: { displayName },
  password,
  onClose,
}: {
  readonly user: User;
  readonly password: string;
  readonly onClose: () => void;
}) {
  return (
    <ToldDialog
      title={`Password of ${displayName}`}
      about="This is the only time that you see it. Hand it over by a way that nobody else reads."
      isOpen
      isFirm
      onClose={onClose}
      actions={<CopyVerb verb="Copy password" text={password} look="primary" />}
    >
      <Code label="password" text={password} />
    </ToldDialog>
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
