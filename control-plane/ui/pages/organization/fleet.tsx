import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useOrganizationRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { Code } from '../../kit/code.tsx';
import { CopyVerb } from '../../kit/copy.tsx';
import { Effects, FormDialog, ToldDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { now } from '../../kit/now.ts';
import { shortId } from '../../kit/numbers.ts';
import { Body, PageHeader, Panel, Unanswered } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { type Column, DataTable, usePages } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import {
  createEnrolmentToken,
  deleteFleet,
  type EnrolmentToken,
  type Fleet,
  oneFleet,
  revokeEnrolmentToken,
  tokensOfFleet,
} from './fleet-questions.ts';
import { FleetDialog } from './fleets.tsx';

const route = getRouteApi('/_org/fleets/$fleet');

/** One fleet, and what machines enrol in it with. */
export function FleetPage() {
  const { fleet: id } = route.useParams();
  const { data, error } = useQuery(oneFleet(id));
  const [asked, setAsked] = useState<'edit' | 'delete'>();
  const may = useOrganizationRights();
  if (data === undefined) return <Unanswered title="Fleet" error={error} />;
  const onClose = () => setAsked(undefined);
  return (
    <>
      <PageHeader
        title={data.name}
        sub={<Link to="/_org/fleets">All fleets</Link>}
        actions={
          <>
            {may('FLEET', 'D') && (
              <Button look="quiet" onClick={() => setAsked('delete')}>
                Delete fleet
              </Button>
            )}
            {may('FLEET', 'U') && <Button onClick={() => setAsked('edit')}>Edit fleet</Button>}
          </>
        }
      />
      <Body>
        <Tokens fleet={data} />
      </Body>
      {asked === 'edit' && <FleetDialog fleet={data} onClose={onClose} />}
      {asked === 'delete' && <DeleteFleet fleet={data} onClose={onClose} />}
    </>
  );
}

function stateOf({ isRevoked, expiresAt, uses, usesMax }: EnrolmentToken) {
  if (isRevoked) return <Status tone="bad">Revoked</Status>;
  if (Date.parse(expiresAt) <= now()) return <Status tone="idle">Ended</Status>;
  if (usesMax !== undefined && uses >= usesMax) return <Status tone="idle">Used up</Status>;
  return <Status tone="ok">Lets machines in</Status>;
}

function Tokens({ fleet }: { readonly fleet: Fleet }) {
  const { data, error } = useQuery(tokensOfFleet(fleet.id));
  const [isCreating, setCreating] = useState(false);
  const [made, setMade] = useState<EnrolmentToken>();
  const may = useOrganizationRights();
  const { rows, paging } = usePages(data?.data);
  const mayUpdate = may('FLEET', 'U');
  return (
    <Panel
      title="Enrolment tokens"
      isBare
      end={
        mayUpdate && (
          <Button size="small" onClick={() => setCreating(true)}>
            <Plus size={14} aria-hidden />
            Create token
          </Button>
        )
      }
    >
      <DataTable
        label="Enrolment tokens"
        isInner
        rows={rows}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(mayUpdate ? fleet : undefined)}
        paging={paging}
        empty={
          <Empty title="No tokens yet">
            A machine becomes a gateway of this fleet by a token, once; it keeps the identity that it gets.
          </Empty>
        }
      />
      {isCreating && <CreateToken fleet={fleet} onClose={() => setCreating(false)} onMade={setMade} />}
      {made !== undefined && <TokenOnce made={made} onClose={() => setMade(undefined)} />}
    </Panel>
  );
}

function columnsOf(fleet: Fleet | undefined): readonly Column<EnrolmentToken>[] {
  return [
    { title: 'Token', cell: ({ id }) => <span className="mono">{shortId(id)}</span> },
    { title: 'State', cell: stateOf },
    { title: 'Ends', cell: ({ expiresAt }) => <Time at={expiresAt} /> },
    { title: 'Created', cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      title: 'Machines',
      align: 'end',
      cell: ({ uses, usesMax }) => (
        <span className="num">
          {uses} <span className="quiet">of {usesMax ?? 'any number'}</span>
        </span>
      ),
    },
    ...(fleet === undefined
      ? []
      : [
          {
            title: 'Revoke',
            align: 'end' as const,
            isDeeds: true,
            cell: (token: EnrolmentToken) => !token.isRevoked && <Revoke fleet={fleet} token={token} />,
          },
        ]),
  ];
}

function Revoke({ fleet, token }: { readonly fleet: Fleet; readonly token: EnrolmentToken }) {
  const [isAsked, setAsked] = useState(false);
  const revoking = useChange({
    change: () => revokeEnrolmentToken(fleet.id, token.id),
    touches: [['fleets', fleet.id]],
    onDone: () => setAsked(false),
  });
  return (
    <>
      <Button
        size="small"
        look="quiet"
        aria-label={`Revoke ${shortId(token.id)}`}
        onClick={() => setAsked(true)}
      >
        Revoke
      </Button>
      {isAsked && (
        <FormDialog
          title="Revoke the token?"
          about="It lets no machine in any more. Gateways that enrolled with it stay."
          isOpen
          onClose={() => setAsked(false)}
          submit={{ verb: 'Revoke token', mutation: revoking, isDangerous: true }}
        />
      )}
    </>
  );
}

const hourMs = 3_600_000;
const lives = [
  ['2', '2 hours'],
  ['24', 'A day'],
  ['168', 'A week'],
] as const;

function CreateToken({
  fleet,
  onClose,
  onMade,
}: {
  readonly fleet: Fleet;
  readonly onClose: () => void;
  readonly onMade: (token: EnrolmentToken) => void;
}) {
  const [bridge, setBridge] = useState('');
  const [hours, setHours] = useState('24');
  const [uses, setUses] = useState('1');
  const creating = useChange({
    change: () =>
      createEnrolmentToken(fleet.id, {
        bridge,
        expiresAt: new Date(now() + Number(hours) * hourMs).toISOString(),
        ...(uses !== '' && { usesMax: Number(uses) }),
      }),
    touches: [['fleets', fleet.id]],
    onDone: (token) => {
      onClose();
      onMade(token);
    },
  });
  return (
    <FormDialog
      title={`Create a token for ${fleet.name}`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Create token', mutation: creating, isReady: bridge !== '' }}
    >
      <TextField
        label="Bridge"
        hint="Where these machines reach it: https://bridge.example.com"
        type="url"
        value={bridge}
        maxLength={1_024}
        autoFocus
        error={Problem.at(creating.error, 'bridge')}
        onChange={({ target: { value } }) => setBridge(value)}
      />
      <SelectField
        label="Ends after"
        value={hours}
        options={lives}
        onChange={({ target: { value } }) => setHours(value)}
      />
      <TextField
        label="Machines"
        hint="How many it lets in; empty for any number"
        isOptional
        type="number"
        min={1}
        value={uses}
        error={Problem.at(creating.error, 'usesMax')}
        onChange={({ target: { value } }) => setUses(value)}
      />
    </FormDialog>
  );
}

/** A token that was just made: this is the only place that ever shows it. */
function TokenOnce({ made, onClose }: { readonly made: EnrolmentToken; readonly onClose: () => void }) {
  const value = made.token ?? '';
  return (
    <ToldDialog
      title="Enrol a machine"
      about="This is the only time that you see the token. Run this on the new machine, and start the gateway."
      isOpen
      isFirm
      onClose={onClose}
      actions={<CopyVerb verb="Copy token" text={value} look="primary" />}
    >
      <Code
        label="commands"
        text={`export ISTHMUS_ENROLMENT_TOKEN='${value}'\nisthmus enroll\nisthmus gateway`}
      />
    </ToldDialog>
  );
}

function DeleteFleet({ fleet, onClose }: { readonly fleet: Fleet; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const deleting = useChange({
    change: () => deleteFleet(fleet.id),
    touches: [],
    onDone: () => void navigate({ to: '/_org/fleets' }),
    said: () => ({ text: `${fleet.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${fleet.name}?`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete fleet', mutation: deleting, isDangerous: true, isReady: typed === fleet.name }}
    >
      <Effects effects={[['all', 'its gateways are revoked, and hear of no change any more']]} />
      <TextField
        label={`Type its name: ${fleet.name}`}
        value={typed}
        autoComplete="off"
        autoFocus
        onChange={({ target: { value } }) => setTyped(value)}
      />
    </FormDialog>
  );
}
