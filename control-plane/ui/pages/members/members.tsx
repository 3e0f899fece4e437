import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { Body, Panel } from '../../kit/page.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { type Column, DataTable, deedsColumn, usePages } from '../../kit/table.tsx';
import { Note } from '../../kit/told.tsx';
import { spoken } from '../organization/questions.ts';
import { listedGroups } from '../settings/questions.ts';
import { ChangeRole, Remove, Transfer, Why } from './deeds.tsx';
import { groupsOfApi, type Member, type MemberOf, membersOf } from './questions.ts';

const apiRoute = getRouteApi('/$env/apis/$api/members');
const applicationRoute = getRouteApi('/$env/applications/$application/members');

/** Who may do what with an API. */
export function ApiMembers() {
  const { env, api: id } = apiRoute.useParams();
  return <Members at={{ env, of: 'api', id }} />;
}

/** Who may do what with an application. */
export function ApplicationMembers() {
  const { env, application: id } = applicationRoute.useParams();
  return <Members at={{ env, of: 'application', id }} />;
}

const owner = 'PRIMARY_OWNER';

type Asked =
  | { readonly deed: 'add' | 'transfer' }
  | { readonly deed: 'change' | 'remove' | 'why'; readonly member: Member };

function Members({ at }: { readonly at: MemberOf }) {
  const { data, error } = useQuery(membersOf(at));
  const [asked, setAsked] = useState<Asked>();
  const may = useRights({ env: at.env, [at.of]: at.id });
  const { rows, paging } = usePages(data);
  const onClose = () => setAsked(undefined);
  const known = (data ?? []).map(({ id }) => id);
  const right = at.of === 'api' ? 'API' : 'application';
  return (
    <Body>
      {!may('MEMBER', 'U') && (
        <Note>
          You can read this. Changing it needs <b>MEMBER, update</b> on the {right}.
        </Note>
      )}
      <Panel
        title="Members"
        isBare
        end={
          <>
            {may('MEMBER', 'U') && (
              <Button size="small" onClick={() => setAsked({ deed: 'transfer' })}>
                Transfer ownership
              </Button>
            )}
            {may('MEMBER', 'C') && (
              <Button size="small" onClick={() => setAsked({ deed: 'add' })}>
                <Plus size={14} aria-hidden />
                Add member
              </Button>
            )}
          </>
        }
      >
        <DataTable
          label="Members"
          isInner
          rows={rows}
          error={error}
          keyOf={({ id }) => id}
          columns={columnsOf(may, setAsked)}
          paging={paging}
          empty={<p className="inset second">Nobody is a member by himself.</p>}
        />
      </Panel>
      {at.of === 'api' && <Groups at={at} />}
      {asked?.deed === 'add' && <ChangeRole at={at} without={known} onClose={onClose} />}
      {asked?.deed === 'change' && <ChangeRole at={at} member={asked.member} onClose={onClose} />}
      {asked?.deed === 'remove' && <Remove at={at} member={asked.member} onClose={onClose} />}
      {asked?.deed === 'why' && <Why at={at} member={asked.member} onClose={onClose} />}
      {asked?.deed === 'transfer' && (
        <Transfer
          at={at}
          owner={data?.find(({ role }) => role === owner)}
          members={data ?? []}
          onClose={onClose}
        />
      )}
    </Body>
  );
}

const rightsOf = ({ displayName }: { readonly displayName: string }): string => `Rights of ${displayName}`;

function columnsOf(
  may: (right: string, action: 'C' | 'R' | 'U' | 'D') => boolean,
  onAsk: (asked: Asked) => void,
): readonly Column<Member>[] {
  return [
    { title: 'Name', cell: ({ displayName }) => displayName },
    {
      title: 'Role',
      cell: ({ role }) =>
        role === owner ? <Status tone="ok">Primary owner</Status> : <Tag>{spoken(role)}</Tag>,
    },
    ...deedsColumn<Member>('Change', [
      {
        verb: 'Rights',
        label: rightsOf,
        onDo: (member) => onAsk({ deed: 'why', member }),
      },
      {
        verb: 'Change role',
        label: ({ displayName }) => `Change role of ${displayName}`,
        onDo: may('MEMBER', 'U') ? (member) => onAsk({ deed: 'change', member }) : undefined,
        isFor: ({ role }) => role !== owner,
      },
      {
        verb: 'Remove',
        label: ({ displayName }) => `Remove ${displayName}`,
        onDo: may('MEMBER', 'D') ? (member) => onAsk({ deed: 'remove', member }) : undefined,
        isFor: ({ role }) => role !== owner,
      },
    ]),
  ];
}

interface ByGroup {
  readonly key: string;
  readonly id: string;
  readonly displayName: string;
  readonly role: string;
  readonly group: string;
}

/** Who is a member by a group of the API. */
function Groups({ at }: { readonly at: MemberOf }) {
  const { data, error } = useQuery(groupsOfApi(at));
  // Who may not read groups sees their ids.
  const { data: known } = useQuery(listedGroups(at.env, { q: undefined, page: 1 }));
  const [asked, setAsked] = useState<ByGroup>();
  const nameOf = (id: string): string => known?.data.find((group) => group.id === id)?.name ?? id;
  const all =
    data &&
    Object.entries(data).flatMap(([group, members]) =>
      members.map(({ id, displayName, roles }): ByGroup => ({
        key: `${group}/${id}`,
        id,
        displayName,
        role: roles['API'] ?? '',
        group: nameOf(group),
      })),
    );
  const { rows, paging } = usePages(all);
  return (
    <Panel title="Members by a group" isBare>
      <DataTable
        label="Members by a group"
        isInner
        rows={rows}
        error={error}
        keyOf={({ key }) => key}
        columns={[
          { title: 'Name', cell: ({ displayName }) => displayName },
          { title: 'Group', cell: ({ group }) => <span className="clip">{group}</span> },
          {
            title: 'Role',
            cell: ({ role }) =>
              role === '' ? <span className="second">the group’s</span> : <Tag>{spoken(role)}</Tag>,
          },
          ...deedsColumn<ByGroup>('Rights', [{ verb: 'Rights', label: rightsOf, onDo: setAsked }]),
        ]}
        paging={paging}
        empty={<p className="inset second">No group has the API, or nobody is in those that have it.</p>}
      />
      {asked !== undefined && <Why at={at} member={asked} onClose={() => setAsked(undefined)} />}
    </Panel>
  );
}
