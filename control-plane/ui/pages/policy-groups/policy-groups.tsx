import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { FilterBox, TextField } from '../../kit/field.tsx';
import { PageHeader, Toolbar } from '../../kit/page.tsx';
import { Segments } from '../../kit/segments.tsx';
import { Status, Tag } from '../../kit/status.tsx';
import { type Column, DataTable } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import {
  createPolicyGroup,
  listedPolicyGroups,
  type Phase,
  phaseWords,
  type PolicyGroup,
  policyGroupsPerPage,
  stateOf,
} from './questions.ts';

const route = getRouteApi('/$env/policy-groups');

/** Steps that several APIs share: changed in one place, in force in all of them. */
export function PolicyGroups() {
  const { env } = route.useParams();
  const { q, page = 1 } = route.useSearch();
  const navigate = useNavigate({ from: '/$env/policy-groups' });
  const [isCreating, setCreating] = useState(false);
  const may = useRights({ env });
  const { data, error } = useQuery(listedPolicyGroups(env, { q, page }));
  const create = may('SHARED_POLICY_GROUP', 'C') ? (
    <Button look="primary" onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden />
      Create policy group
    </Button>
  ) : undefined;
  return (
    <>
      <PageHeader title="Policy groups" actions={create} />
      <Toolbar>
        <FilterBox
          label="Filter by name"
          value={q}
          onChange={(next) => void navigate({ search: next === '' ? {} : { q: next }, replace: true })}
        />
      </Toolbar>
      <DataTable
        label="Policy groups"
        rows={data?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(env)}
        paging={
          data && {
            page,
            perPage: policyGroupsPerPage,
            total: data.pagination.totalCount,
            onPage: (next) => void navigate({ search: (before) => ({ ...before, page: next }) }),
          }
        }
        empty={
          q === undefined ? (
            <Empty title="No policy groups yet" action={create}>
              A policy group holds steps that several APIs pass: changed and deployed once, they are in force
              in every API that uses it.
            </Empty>
          ) : (
            <Empty
              title="No policy group matches"
              action={<Button onClick={() => void navigate({ search: {} })}>Clear the filter</Button>}
            >
              None has “{q}” in its name.
            </Empty>
          )
        }
      />
      {isCreating && <CreatePolicyGroup env={env} onClose={() => setCreating(false)} />}
    </>
  );
}

function columnsOf(env: string): readonly Column<PolicyGroup>[] {
  return [
    {
      title: 'Name',
      cell: ({ id, name }) => (
        <Link to="/$env/policy-groups/$group" params={{ env, group: id }}>
          {name}
        </Link>
      ),
    },
    { title: 'Phase', cell: ({ phase }) => <Tag>{phaseWords[phase]}</Tag> },
    {
      title: 'State',
      cell: (group) => {
        const [tone, word] = stateOf(group);
        return <Status tone={tone}>{word}</Status>;
      },
    },
    { title: 'Steps', align: 'end', cell: ({ steps = [] }) => <span className="num">{steps.length}</span> },
    { title: 'Version', align: 'end', cell: ({ version }) => <span className="num">{version}</span> },
    { title: 'Changed', align: 'end', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
  ];
}

function CreatePolicyGroup({ env, onClose }: { readonly env: string; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [phase, setPhase] = useState<Phase>('REQUEST');
  const creating = useChange({
    change: () => createPolicyGroup(env, { name, phase }),
    touches: [['policy-groups', env, 'list']],
    onDone: ({ id }) => void navigate({ to: '/$env/policy-groups/$group', params: { env, group: id } }),
  });
  return (
    <FormDialog
      title="Create policy group"
      about="Its phase cannot change: its steps run on the way to the backend, or on the way back."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Create policy group', mutation: creating, isReady: name.trim() !== '' }}
    >
      <TextField
        label="Name"
        value={name}
        maxLength={512}
        autoFocus
        error={Problem.at(creating.error, 'name')}
        onChange={({ target: { value } }) => setName(value)}
      />
      <Segments
        label="Phase"
        segments={[
          ['REQUEST', phaseWords.REQUEST],
          ['RESPONSE', phaseWords.RESPONSE],
        ]}
        value={phase}
        onChoose={setPhase}
      />
    </FormDialog>
  );
}
