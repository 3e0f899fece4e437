import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { useOrganizationRights } from '../../api/rights.ts';
import { environments, whoAmI } from '../../api/session.ts';
import { Button } from '../../kit/button.tsx';
import { Copy } from '../../kit/copy.tsx';
import { shortId } from '../../kit/numbers.ts';
import { Body, Columns, Facts, PageHeader, Panel, Unanswered } from '../../kit/page.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { type Column, DataTable, usePages } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Note, ProblemBox } from '../../kit/told.tsx';
import { ProfileForm } from '../account/profile-form.tsx';
import { Tokens } from '../account/tokens.tsx';
import {
  DecideRegistration,
  DeleteUser,
  DisableUser,
  GiveRoles,
  ResetPassword,
  ResetSecondFactor,
} from './user-deeds.tsx';
import { membershipsOf, oneUser, setEnabled, stateOf, spoken, type User } from './questions.ts';

const route = getRouteApi('/_org/users/$user');

/** Somebody: what is known of him, which roles he holds and where, his tokens. */
export function UserPage() {
  const { user: id } = route.useParams();
  const { data, error } = useQuery(oneUser(id));
  const may = useOrganizationRights();
  if (data === undefined) return <Unanswered title="User" error={error} />;
  const [tone, word] = stateOf(data);
  const isReadOnly = !may('USER', 'U');
  return (
    <>
      <PageHeader
        title={data.displayName}
        status={
          <Status tone={tone} isPill>
            {word}
          </Status>
        }
        sub={data.isServiceAccount ? <Tag>Program</Tag> : <span className="mono">{data.username}</span>}
        actions={<Deeds user={data} />}
      />
      <Body>
        {isReadOnly && (
          <Note>
            You can read this. Changing it needs <b>USER, update</b> on the organization.
          </Note>
        )}
        <Columns>
          <Panel title="Profile">
            <ProfileForm key={data.updated_at} user={data} isReadOnly={isReadOnly} />
          </Panel>
          <Panel title="What is known">
            <Facts facts={factsOf(data)} />
          </Panel>
        </Columns>
        <Roles user={data} isReadOnly={isReadOnly} />
        <Memberships id={id} />
        {may('USER_TOKEN', 'R') && (
          <Tokens of={id} may={{ create: may('USER_TOKEN', 'C'), delete: may('USER_TOKEN', 'D') }} />
        )}
      </Body>
    </>
  );
}

const factsOf = (user: User) =>
  [
    ['User name', <Copy key="name" text={user.username} />],
    ['Created', <Time key="created" at={user.created_at} />],
    [
      'Last sign-in',
      user.lastConnectionAt === undefined ? '–' : <Time key="last" at={user.lastConnectionAt} />,
    ],
    ['Sign-ins', user.loginCount],
    ['Password', user.hasPassword ? 'set' : 'none: tokens alone'],
    ['Second factor', user.hasSecondFactor ? 'set up' : 'none'],
    ['Owns', user.primary_owner ? 'APIs or applications' : 'nothing'],
    ['Id', <Copy key="id" text={user.id} shown={shortId(user.id)} />],
  ] as const;

function Deeds({ user }: { readonly user: User }) {
  const [asked, setAsked] = useState<'accept' | 'reject' | 'disable' | 'password' | 'factor' | 'delete'>();
  const navigate = useNavigate();
  const may = useOrganizationRights();
  const { data: me } = useQuery(whoAmI);
  const enabling = useChange({
    change: () => setEnabled(user, true),
    touches: [['users'], ['people']],
  });
  const onClose = () => setAsked(undefined);
  if (me?.id === user.id) return <Tag>This is you</Tag>;
  return (
    <>
      {enabling.error !== null && <ProblemBox error={enabling.error} />}
      {may('USER', 'D') && (
        <Button look="quiet" onClick={() => setAsked('delete')}>
          Delete user
        </Button>
      )}
      {may('USER', 'U') && user.status === 'PENDING' && (
        <>
          <Button onClick={() => setAsked('reject')}>Reject</Button>
          <Button look="primary" onClick={() => setAsked('accept')}>
            Accept registration
          </Button>
        </>
      )}
      {may('USER', 'U') && user.hasPassword && user.status === 'ACTIVE' && (
        <Button onClick={() => setAsked('password')}>Set password</Button>
      )}
      {may('USER', 'U') && user.hasSecondFactor && (
        <Button onClick={() => setAsked('factor')}>Take second factor</Button>
      )}
      {may('USER', 'U') && user.status === 'DISABLED' && (
        <Button look="primary" disabled={enabling.isPending} onClick={() => enabling.mutate()}>
          Enable user
        </Button>
      )}
      {may('USER', 'U') && user.status === 'ACTIVE' && (
        <Button onClick={() => setAsked('disable')}>Disable user</Button>
      )}
      {(asked === 'accept' || asked === 'reject') && (
        <DecideRegistration user={user} isAccepted={asked === 'accept'} onClose={onClose} />
      )}
      {asked === 'disable' && <DisableUser user={user} onClose={onClose} />}
      {asked === 'password' && <ResetPassword user={user} onClose={onClose} />}
      {asked === 'factor' && <ResetSecondFactor user={user} onClose={onClose} />}
      {asked === 'delete' && (
        <DeleteUser user={user} onClose={onClose} onDeleted={() => void navigate({ to: '/_org/users' })} />
      )}
    </>
  );
}

/** Where roles are held: the organization, or one of its environments. */
interface Place {
  readonly scope: 'ORGANIZATION' | 'ENVIRONMENT';
  readonly id: string;
  readonly name: string;
  readonly held: readonly string[];
}

function Roles({ user, isReadOnly }: { readonly user: User; readonly isReadOnly: boolean }) {
  const { data } = useQuery(environments);
  const [changed, setChanged] = useState<Place>();
  const places: readonly Place[] = [
    {
      scope: 'ORGANIZATION',
      id: user.organizationId,
      name: 'Organization',
      held: (user.roles ?? []).map(({ name }) => name),
    },
    ...(data?.data ?? []).map(({ id, name }): Place => ({
      scope: 'ENVIRONMENT',
      id,
      name,
      held: (user.envRoles?.[id] ?? []).map((role) => role.name),
    })),
  ];
  const columns: readonly Column<Place>[] = [
    { title: 'Where', cell: ({ name }) => name },
    {
      title: 'Roles',
      cell: ({ held }) =>
        held.length === 0 ? (
          <span className="quiet">none</span>
        ) : (
          held.map((role) => <Tag key={role}>{spoken(role)}</Tag>)
        ),
    },
    ...(isReadOnly
      ? []
      : [
          {
            title: 'Change',
            align: 'end' as const,
            isDeeds: true,
            cell: (place: Place) => (
              <Button
                size="small"
                aria-label={`Change roles: ${place.name}`}
                onClick={() => setChanged(place)}
              >
                Change roles
              </Button>
            ),
          },
        ]),
  ];
  return (
    <Panel title="Roles" isBare>
      <DataTable
        label={`Roles of ${user.displayName}`}
        isInner
        rows={data === undefined ? undefined : places}
        keyOf={({ id }) => id}
        columns={columns}
      />
      {changed !== undefined && (
        <GiveRoles user={user} place={changed} onClose={() => setChanged(undefined)} />
      )}
    </Panel>
  );
}

interface Held {
  readonly key: string;
  readonly kind: string;
  readonly id: string;
  readonly environment: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly group: string | undefined;
}

/** What somebody is a member of, and whether a group makes him one. */
function Memberships({ id }: { readonly id: string }) {
  const apis = useQuery(membershipsOf(id, 'api'));
  const applications = useQuery(membershipsOf(id, 'application'));
  const groups = useQuery(membershipsOf(id, 'group'));
  const answers = [apis, applications, groups];
  const isThere = answers.every(({ data }) => data !== undefined);
  const held = answers.flatMap(({ data }) =>
    (data?.memberships ?? []).map(({ reference, type, roles, group }): Held => {
      const known = data?.metadata[reference];
      return {
        key: `${type}/${reference}/${group ?? ''}`,
        kind: type,
        id: reference,
        environment: known?.environmentId ?? '',
        name: known?.name ?? shortId(reference),
        roles: Object.values(roles),
        group: group === undefined ? undefined : (groups.data?.metadata[group]?.name ?? shortId(group)),
      };
    }),
  );
  const { rows, paging } = usePages(isThere ? held : undefined);
  return (
    <Panel title="Memberships" isBare>
      <DataTable
        label="Memberships"
        isInner
        rows={rows}
        paging={paging}
        error={answers.find(({ error }) => error !== null)?.error}
        keyOf={({ key }) => key}
        columns={membershipColumns}
        empty={<p className="inset second">Member of no API, application or group.</p>}
      />
    </Panel>
  );
}

const membershipColumns: readonly Column<Held>[] = [
  {
    title: 'Name',
    cell: ({ kind, id, environment, name }) => {
      if (environment === '') return name;
      if (kind === 'API')
        return (
          <Link to="/$env/apis/$api" params={{ env: environment, api: id }}>
            {name}
          </Link>
        );
      if (kind === 'APPLICATION')
        return (
          <Link to="/$env/applications/$application" params={{ env: environment, application: id }}>
            {name}
          </Link>
        );
      return (
        <Link to="/$env/settings/groups/$group" params={{ env: environment, group: id }}>
          {name}
        </Link>
      );
    },
  },
  { title: 'Kind', cell: ({ kind }) => <Tag>{spoken(kind)}</Tag> },
  { title: 'Roles', cell: ({ roles }) => roles.map((role) => <Tag key={role}>{spoken(role)}</Tag>) },
  {
    title: 'By group',
    align: 'end',
    cell: ({ group }) => <span className="second">{group ?? 'own'}</span>,
  },
];
