import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { SwitchField } from '../../kit/field.tsx';
import { Panel } from '../../kit/page.tsx';
import type { Choice } from '../../kit/search-field.tsx';
import { Tag } from '../../kit/status.tsx';
import { type Column, DataTable, deedsColumn } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { PersonField } from '../members/person-field.tsx';
import { spoken } from '../organization/questions.ts';
import { type Group, groupMembersPerPage, type GroupMember, membersOfGroup } from './questions.ts';
import { RoleField } from './role-field.tsx';

interface Of {
  readonly env: string;
  readonly group: Group;
}

const membersPath =
  '/management/organizations/{orgId}/environments/{envId}/configuration/groups/{groupId}/members';
const pathOf = ({ env, group }: Of) => ({ orgId: organization, envId: env, groupId: group.id });

/** Who is in a group, and with which roles. */
export function GroupMembers({ env, group }: Of) {
  const [page, setPage] = useState(1);
  const [asked, setAsked] = useState<GroupMember | 'new'>();
  const [removed, setRemoved] = useState<GroupMember>();
  const { data, error } = useQuery(membersOfGroup(env, group.id, page));
  const add = group.manageable ? (
    <Button size="small" onClick={() => setAsked('new')}>
      <Plus size={14} aria-hidden />
      Add member
    </Button>
  ) : undefined;
  return (
    <Panel title="Members" isBare end={add}>
      <DataTable
        label="Members"
        isInner
        rows={data?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(group, { onChange: setAsked, onRemove: setRemoved })}
        paging={
          data && data.page.total_elements > groupMembersPerPage
            ? { page, perPage: groupMembersPerPage, total: data.page.total_elements, onPage: setPage }
            : undefined
        }
        empty={
          <Empty title="Nobody is in it yet">
            Whoever is added holds its roles on every API and application that has the group.
          </Empty>
        }
      />
      {asked !== undefined && (
        <MemberDialog
          env={env}
          group={group}
          member={asked === 'new' ? undefined : asked}
          onClose={() => setAsked(undefined)}
        />
      )}
      {removed !== undefined && (
        <RemoveMember env={env} group={group} member={removed} onClose={() => setRemoved(undefined)} />
      )}
    </Panel>
  );
}

function columnsOf(
  group: Group,
  deeds: {
    readonly onChange: (member: GroupMember) => void;
    readonly onRemove: (member: GroupMember) => void;
  },
): readonly Column<GroupMember>[] {
  const role = (given: string | undefined, inherited: string | undefined) =>
    given === undefined ? (
      <span className="second">{inherited === undefined ? 'none' : spoken(inherited)}</span>
    ) : (
      <Tag>{spoken(given)}</Tag>
    );
  return [
    { title: 'Name', cell: ({ displayName }) => displayName },
    { title: 'On APIs', cell: ({ roles }) => role(roles['API'], group.roles.API) },
    { title: 'On applications', cell: ({ roles }) => role(roles['APPLICATION'], group.roles.APPLICATION) },
    {
      title: 'In the group',
      cell: ({ roles }) =>
        roles['GROUP'] === undefined ? <span className="second">member</span> : <Tag>Administrator</Tag>,
    },
    { title: 'Since', cell: ({ created_at: at }) => <Time at={at} /> },
    ...deedsColumn<GroupMember>('Change', [
      {
        verb: 'Roles',
        label: ({ displayName }) => `Change roles of ${displayName}`,
        onDo: group.manageable ? deeds.onChange : undefined,
      },
      {
        verb: 'Remove',
        label: ({ displayName }) => `Remove ${displayName}`,
        onDo: group.manageable ? deeds.onRemove : undefined,
      },
    ]),
  ];
}

/** Somebody new, or other roles for who is in it. */
function MemberDialog({
  env,
  group,
  member,
  onClose,
}: Of & { readonly member: GroupMember | undefined; readonly onClose: () => void }) {
  const [person, setPerson] = useState<Choice>();
  const [roles, setRoles] = useState<Readonly<Record<string, string>>>(
    member?.roles ?? { ...(group.roles as Record<string, string>) },
  );
  const id = member?.id ?? person?.id;
  const saving = useChange({
    change: () =>
      answerOf(
        api.POST(membersPath, {
          params: { path: pathOf({ env, group }) },
          body: [
            {
              id: id ?? '',
              roles: (['API', 'APPLICATION', 'GROUP'] as const).flatMap((scope) => {
                const name = roles[scope] ?? '';
                return name === '' ? [] : [{ scope, name }];
              }),
            },
          ],
        }),
      ),
    touches: [['groups', env, group.id]],
    onDone: onClose,
  });
  const set = (scope: string, name: string): void => setRoles((before) => ({ ...before, [scope]: name }));
  const isReady = id !== undefined && Object.values(roles).some((name) => name !== '');
  return (
    <FormDialog
      title={member === undefined ? `Add to ${group.name}` : `Roles of ${member.displayName}`}
      isOpen
      onClose={onClose}
      submit={{ verb: member === undefined ? 'Add member' : 'Save roles', mutation: saving, isReady }}
    >
      {member === undefined && <PersonField value={person} onChoose={setPerson} />}
      {(['API', 'APPLICATION'] as const).map((scope) => (
        <RoleField
          key={scope}
          scope={scope}
          value={roles[scope] ?? ''}
          onChange={(name) => set(scope, name)}
        />
      ))}
      <SwitchField
        label="Administers the group"
        hint="May change its members and their roles"
        isOn={(roles['GROUP'] ?? '') !== ''}
        onChange={(isOn) => set('GROUP', isOn ? 'ADMIN' : '')}
      />
    </FormDialog>
  );
}

function RemoveMember({
  env,
  group,
  member,
  onClose,
}: Of & { readonly member: GroupMember; readonly onClose: () => void }) {
  const removing = useChange({
    change: () =>
      answerOf(
        api.DELETE(`${membersPath}/{userId}`, {
          params: { path: { ...pathOf({ env, group }), userId: member.id } },
        }),
      ),
    touches: [['groups', env, group.id]],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Remove ${member.displayName} from ${group.name}?`}
      about="What was held by the group alone is held no more."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Remove member', mutation: removing, isDangerous: true }}
    />
  );
}
