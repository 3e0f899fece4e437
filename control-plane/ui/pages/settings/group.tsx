import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { Bar, Body, Columns, Panel, Unanswered } from '../../kit/page.tsx';
import { DataTable, usePages } from '../../kit/table.tsx';
import { Note } from '../../kit/told.tsx';
import { GroupForm } from './group-form.tsx';
import { GroupMembers } from './group-members.tsx';
import { type Group, oneGroup, referencesOfGroup } from './questions.ts';

const route = getRouteApi('/$env/settings/groups/$group');

/** One group: its roles, its members, and what has it. */
export function GroupPage() {
  const { env, group: id } = route.useParams();
  const { data, error } = useQuery(oneGroup(env, id));
  const [isAsked, setAsked] = useState(false);
  const may = useRights({ env });
  if (data === undefined) return <Unanswered error={error} />;
  return (
    <>
      <Bar
        back={
          <Link to="/$env/settings/groups" params={{ env }}>
            Groups
          </Link>
        }
        title={data.name}
      >
        {may('GROUP', 'D') && (
          <Button look="quiet" onClick={() => setAsked(true)}>
            Delete group
          </Button>
        )}
      </Bar>
      <Body>
        {!data.manageable && (
          <Note>
            You can read this. Changing it needs <b>GROUP, update</b> on the environment, or to administer the
            group.
          </Note>
        )}
        <GroupMembers env={env} group={data} />
        <Columns>
          <Panel title="What it gives">
            <GroupForm key={data.id} env={env} group={data} isReadOnly={!data.manageable} />
          </Panel>
          <References env={env} group={data} mayGive={may('GROUP', 'U')} />
        </Columns>
      </Body>
      {isAsked && <DeleteGroup env={env} group={data} onClose={() => setAsked(false)} />}
    </>
  );
}

interface Of {
  readonly env: string;
  readonly group: Group;
}

/** APIs and applications that have it. */
function References({ env, group, mayGive }: Of & { readonly mayGive: boolean }) {
  const apis = useQuery(referencesOfGroup(env, group.id, 'api'));
  const applications = useQuery(referencesOfGroup(env, group.id, 'application'));
  const [given, setGiven] = useState<'api' | 'application'>();
  const { rows, paging } = usePages(
    apis.data &&
      applications.data && [
        ...apis.data.map((each) => ({ ...each, kind: 'API' as const })),
        ...applications.data.map((each) => ({ ...each, kind: 'Application' as const })),
      ],
  );
  return (
    <Panel
      title="What has it"
      isBare
      end={
        mayGive && (
          <>
            <Button size="small" onClick={() => setGiven('api')}>
              Give to all APIs
            </Button>
            <Button size="small" onClick={() => setGiven('application')}>
              Give to all applications
            </Button>
          </>
        )
      }
    >
      <DataTable
        label="What has the group"
        isInner
        rows={rows}
        paging={paging}
        error={apis.error ?? applications.error}
        keyOf={({ kind, id }) => `${kind}/${id}`}
        columns={[
          {
            title: 'Name',
            cell: ({ kind, id, name }) =>
              kind === 'API' ? (
                <Link to="/$env/apis/$api" params={{ env, api: id }}>
                  {name}
                </Link>
              ) : (
                <Link to="/$env/applications/$application" params={{ env, application: id }}>
                  {name}
                </Link>
              ),
          },
          { title: 'Kind', align: 'end', cell: ({ kind }) => <span className="second">{kind}</span> },
        ]}
        empty={<p className="inset second">No API or application has it yet.</p>}
      />
      {given !== undefined && (
        <GiveToAll env={env} group={group} type={given} onClose={() => setGiven(undefined)} />
      )}
    </Panel>
  );
}

function GiveToAll({
  env,
  group,
  type,
  onClose,
}: Of & { readonly type: 'api' | 'application'; readonly onClose: () => void }) {
  const words = type === 'api' ? 'APIs' : 'applications';
  const giving = useChange({
    change: () =>
      answerOf(
        api.POST(
          '/management/organizations/{orgId}/environments/{envId}/configuration/groups/{groupId}/memberships',
          {
            params: { path: { orgId: organization, envId: env, groupId: group.id }, query: { type } },
          },
        ),
      ),
    touches: [
      ['groups', env],
      [type === 'api' ? 'apis' : 'applications', env],
    ],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Give ${group.name} to all ${words}?`}
      about={`Its members hold its role on every one of the ${words} of this environment, at once. Each can be taken out again by hand alone.`}
      isOpen
      onClose={onClose}
      submit={{ verb: `Give to all ${words}`, mutation: giving }}
    />
  );
}

function DeleteGroup({ env, group, onClose }: Of & { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const apis = useQuery(referencesOfGroup(env, group.id, 'api'));
  const applications = useQuery(referencesOfGroup(env, group.id, 'application'));
  const deleting = useChange({
    change: () =>
      answerOf(
        api.DELETE('/management/organizations/{orgId}/environments/{envId}/configuration/groups/{groupId}', {
          params: { path: { orgId: organization, envId: env, groupId: group.id } },
        }),
      ),
    touches: [['groups', env, 'list']],
    onDone: () => void navigate({ to: '/$env/settings/groups', params: { env } }),
    said: () => ({ text: `${group.name} is deleted` }),
  });
  const figure = (rows: readonly unknown[] | undefined): string =>
    rows === undefined ? '–' : String(rows.length);
  return (
    <FormDialog
      title={`Delete ${group.name}?`}
      about="What its members held by it they hold no more."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete group', mutation: deleting, isDangerous: true }}
    >
      <Effects
        effects={[
          [figure(apis.data), 'APIs lose these members'],
          [figure(applications.data), 'applications lose these members'],
        ]}
      />
    </FormDialog>
  );
}
