import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { useOrganizationRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { Panel } from '../../kit/page.tsx';
import type { Choice } from '../../kit/search-field.tsx';
import { DataTable } from '../../kit/table.tsx';
import { PersonField } from '../members/person-field.tsx';
import { spoken } from './questions.ts';

const usersPath = '/management/organizations/{orgId}/configuration/rolescopes/{scope}/roles/{roleName}/users';
const pathOf = (role: string) => ({ orgId: organization, scope: 'ORGANIZATION' as const, roleName: role });

const holders = (role: string) =>
  queryOptions({
    queryKey: ['users', 'holding', role],
    queryFn: () => answerOf(api.GET(usersPath, { params: { path: pathOf(role) } })),
  });

/** Who holds a role of the organization. */
export function RoleUsers({ role }: { readonly role: string }) {
  const { data, error } = useQuery(holders(role));
  const [isGiving, setGiving] = useState(false);
  const may = useOrganizationRights();
  const mayGive = may('ROLE', 'C');
  return (
    <Panel
      title="Who holds it"
      isBare
      end={
        mayGive && (
          <Button size="small" onClick={() => setGiving(true)}>
            <Plus size={14} aria-hidden />
            Give it to a user
          </Button>
        )
      }
    >
      <DataTable
        label="Who holds it"
        isInner
        rows={data}
        error={error}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'Name',
            cell: ({ id, displayName }) => (
              <Link to="/_org/users/$user" params={{ user: id }}>
                {displayName}
              </Link>
            ),
          },
          {
            title: 'Take',
            align: 'end',
            isDeeds: true,
            cell: ({ id, displayName }) =>
              may('ROLE', 'D') && <Take role={role} user={{ id, name: displayName }} />,
          },
        ]}
        empty={<p className="inset second">Nobody holds it.</p>}
      />
      {isGiving && <Give role={role} onClose={() => setGiving(false)} />}
    </Panel>
  );
}

function Take({ role, user }: { readonly role: string; readonly user: Choice }) {
  const [isAsked, setAsked] = useState(false);
  const taking = useChange({
    change: () =>
      answerOf(
        api.DELETE(`${usersPath}/{userId}`, { params: { path: { ...pathOf(role), userId: user.id } } }),
      ),
    touches: [['users'], ['me']],
    onDone: () => setAsked(false),
  });
  return (
    <>
      <Button
        size="small"
        look="quiet"
        aria-label={`Take away from ${user.name}`}
        onClick={() => setAsked(true)}
      >
        Take away
      </Button>
      {isAsked && (
        <FormDialog
          title={`Take ${spoken(role)} from ${user.name}?`}
          about="What it permits is refused from the next request on."
          isOpen
          onClose={() => setAsked(false)}
          submit={{ verb: 'Take role away', mutation: taking, isDangerous: true }}
        />
      )}
    </>
  );
}

function Give({ role, onClose }: { readonly role: string; readonly onClose: () => void }) {
  const [person, setPerson] = useState<Choice>();
  const giving = useChange({
    change: () =>
      answerOf(api.POST(usersPath, { params: { path: pathOf(role) }, body: { id: person?.id ?? '' } })),
    touches: [['users'], ['me']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Give ${spoken(role)}`}
      about="Beside the roles that are held already."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Give role', mutation: giving, isReady: person !== undefined }}
    >
      <PersonField value={person} onChoose={setPerson} />
    </FormDialog>
  );
}
