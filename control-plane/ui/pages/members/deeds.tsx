import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { FormDialog, ToldDialog } from '../../kit/dialog.tsx';
import { SelectField } from '../../kit/field.tsx';
import type { Choice } from '../../kit/search-field.tsx';
import { Tag } from '../../kit/status.tsx';
import { DataTable } from '../../kit/table.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { rolesOf, spoken } from '../organization/questions.ts';
import { PersonField } from './person-field.tsx';
import {
  giveRole,
  type Member,
  type MemberOf,
  removeMember,
  rightsOfMember,
  transferTo,
} from './questions.ts';

interface Asked {
  readonly at: MemberOf;
  readonly onClose: () => void;
}

const owner = 'PRIMARY_OWNER';
const touchesOf = ({ env, of, id }: MemberOf) =>
  [['members', env, of, id], ['rights'], [of, env, id]] as const;

/** Roles that can be given by hand: an object has one primary owner, who changes by a transfer alone. */
function useGivenRoles({ of }: MemberOf): readonly (readonly [string, string])[] {
  const { data } = useQuery(rolesOf(of === 'api' ? 'API' : 'APPLICATION'));
  return (data ?? []).filter(({ name }) => name !== owner).map(({ name }) => [name, spoken(name)] as const);
}

/** Another role for a member, or somebody new. */
export function ChangeRole({
  at,
  member,
  without = [],
  onClose,
}: Asked & { readonly member?: Member; readonly without?: readonly string[] }) {
  const roles = useGivenRoles(at);
  const [person, setPerson] = useState<Choice>();
  const [wished, setRole] = useState(member?.role);
  const role = wished ?? (roles.some(([name]) => name === 'USER') ? 'USER' : roles[0]?.[0]);
  const user = member?.id ?? person?.id;
  const giving = useChange({
    change: () => giveRole(at, user ?? '', role ?? ''),
    touches: touchesOf(at),
    onDone: onClose,
  });
  const verb = member === undefined ? 'Add member' : 'Change role';
  return (
    <FormDialog
      title={member === undefined ? 'Add member' : `Role of ${member.displayName}`}
      isOpen
      onClose={onClose}
      submit={{ verb, mutation: giving, isReady: user !== undefined && role !== undefined }}
    >
      {member === undefined && <PersonField without={without} value={person} onChoose={setPerson} />}
      <SelectField
        label="Role"
        value={role ?? ''}
        options={roles}
        onChange={({ target: { value } }) => setRole(value)}
      />
    </FormDialog>
  );
}

export function Remove({ at, member, onClose }: Asked & { readonly member: Member }) {
  const removing = useChange({
    change: () => removeMember(at, member.id),
    touches: touchesOf(at),
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Remove ${member.displayName}?`}
      about={`What the role ${spoken(member.role)} permits is refused from the next request on. What a group gives stays.`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Remove member', mutation: removing, isDangerous: true }}
    />
  );
}

/** Another primary owner. */
export function Transfer({
  at,
  owner: former,
  members,
  onClose,
}: Asked & { readonly owner: Member | undefined; readonly members: readonly Member[] }) {
  const roles = useGivenRoles(at);
  const first = members.find(({ role }) => role !== owner);
  const [person, setPerson] = useState<Choice | undefined>(
    first === undefined ? undefined : { id: first.id, name: first.displayName },
  );
  const [wished, setRole] = useState<string>();
  const role = wished ?? (roles.some(([name]) => name === 'OWNER') ? 'OWNER' : (roles[0]?.[0] ?? ''));
  const transferring = useChange({
    change: () => transferTo(at, person?.id ?? '', role),
    touches: touchesOf(at),
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Transfer ownership"
      about={
        former === undefined
          ? undefined
          : `${former.displayName} is the primary owner now, and cannot take it back without the next one.`
      }
      isOpen
      onClose={onClose}
      submit={{
        verb: 'Transfer ownership',
        mutation: transferring,
        isDangerous: true,
        isReady: person !== undefined && role !== '',
      }}
    >
      <PersonField
        label="Next primary owner"
        without={former === undefined ? [] : [former.id]}
        value={person}
        onChoose={setPerson}
      />
      <SelectField
        label={former === undefined ? 'Role of the former' : `What ${former.displayName} becomes`}
        value={role}
        options={roles}
        onChange={({ target: { value } }) => setRole(value)}
      />
    </FormDialog>
  );
}

const words = { C: 'create', R: 'read', U: 'update', D: 'delete' } as const;
const saidOf = (letters: readonly string[]): string =>
  letters.length === 4
    ? 'everything'
    : letters.map((letter) => words[letter as keyof typeof words] ?? letter).join(', ');

/** What somebody may do, and which roles give it. */
export function Why({
  at,
  member,
  onClose,
}: Asked & { readonly member: Pick<Member, 'id' | 'displayName'> }) {
  const { data, error } = useQuery(rightsOfMember(at, member.id));
  const rights = Object.entries(data?.permissions ?? {}).map(([name, letters]) => ({
    name,
    letters,
    by: (data?.sources ?? []).filter(({ gives }) => gives[name] !== undefined),
  }));
  return (
    <ToldDialog title={`Rights of ${member.displayName}`} isOpen isWide onClose={onClose}>
      {error !== null && <ProblemBox error={error} />}
      {error === null && (
        <DataTable
          label="Rights"
          isInner
          rows={data === undefined ? undefined : rights}
          keyOf={({ name }) => name}
          columns={[
            { title: 'On', cell: ({ name }) => spoken(name) },
            { title: 'May', cell: ({ letters }) => <span className="second">{saidOf(letters)}</span> },
            {
              title: 'By the role',
              cell: ({ by }) =>
                by.map(({ scope, role, group }) => (
                  <span key={`${scope}/${role}/${group?.id ?? ''}`}>
                    <Tag>
                      {spoken(role)} on{' '}
                      {scope === 'ENVIRONMENT'
                        ? 'the environment'
                        : scope === 'ORGANIZATION'
                          ? 'the organization'
                          : 'it'}
                      {group === undefined ? '' : ` by ${group.name}`}
                    </Tag>{' '}
                  </span>
                )),
            },
          ]}
          empty={<p className="second">Nothing at all.</p>}
        />
      )}
    </ToldDialog>
  );
}
