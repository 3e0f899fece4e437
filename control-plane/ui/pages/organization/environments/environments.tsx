import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useCreation } from '../../../api/creation.ts';
import { useOrganizationRights } from '../../../api/rights.ts';
import { environments } from '../../../api/session.ts';
import { Button } from '../../../kit/button.tsx';
import { FormDialog } from '../../../kit/dialog.tsx';
import { TextField } from '../../../kit/field.tsx';
import { PageHeader } from '../../../kit/page.tsx';
import { type Column, DataTable, usePages } from '../../../kit/table.tsx';
import { Empty } from '../../../kit/told.tsx';
import { createEnvironment, type Environment } from './questions.ts';

const columns: readonly Column<Environment>[] = [
  {
    title: 'Name',
    cell: ({ id, name }) => (
      <Link to="/_org/environments/$environment" params={{ environment: id }}>
        {name}
      </Link>
    ),
  },
  {
    title: 'In addresses',
    cell: ({ hrids, id }) => <span className="mono second">{hrids[0] ?? id}</span>,
  },
  {
    title: 'Description',
    cell: ({ description }) => <span className="second clip">{description || '–'}</span>,
  },
  {
    title: 'Open',
    align: 'end',
    isDeeds: true,
    cell: ({ id, hrids }) => (
      <Link to="/$env/apis" params={{ env: hrids[0] ?? id }}>
        Its APIs
      </Link>
    ),
  },
];

/** The environments of the organization. */
export function Environments() {
  const { data, error } = useQuery(environments);
  const may = useOrganizationRights();
  const [isCreating, setCreating] = useState(false);
  const { rows, paging } = usePages(data?.data);
  const create = may('ENVIRONMENT', 'C') ? (
    <Button look="primary" onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden />
      Create environment
    </Button>
  ) : undefined;
  return (
    <>
      <PageHeader
        title="Environments"
        sub="Each with APIs, applications and rights of its own"
        actions={create}
      />
      <DataTable
        label="Environments"
        leads
        rows={rows}
        error={error}
        keyOf={({ id }) => id}
        columns={columns}
        paging={paging}
        empty={
          <Empty title="No environments yet" action={create}>
            An environment holds APIs and applications, e.g. those of production.
          </Empty>
        }
      />
      <CreateEnvironment isOpen={isCreating} onClose={() => setCreating(false)} />
    </>
  );
}

const blank = { name: '', hrid: '', description: '' };
type Faults = Readonly<Partial<Record<keyof typeof blank, string>>>;
const places = { name: 'name', hrid: 'hrids', description: 'description' } as const;

function CreateEnvironment({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const creation = useCreation({
    blank,
    places,
    faultsOf: ({ name }): Faults => (name.trim() === '' ? { name: 'must not be empty' } : {}),
    create: ({ name, hrid, description }) =>
      createEnvironment({
        name,
        ...(description !== '' && { description }),
        ...(hrid.trim() !== '' && { hrids: [hrid.trim()] }),
      }),
    touches: [['environments']],
    onMade: ({ id }) => void navigate({ to: '/_org/environments/$environment', params: { environment: id } }),
    onClose,
  });
  const { wish, change, close, submit } = creation;
  const faults: Faults = creation.faults;
  return (
    <FormDialog
      title="Create environment"
      about="You administer it; everybody else has the default role there. Gateways serve it once a fleet names it."
      isOpen={isOpen}
      onClose={close}
      submit={{ verb: 'Create environment', ...submit }}
    >
      <TextField
        label="Name"
        value={wish.name}
        maxLength={256}
        autoFocus
        error={faults.name}
        onChange={({ target: { value } }) => change({ name: value })}
      />
      <TextField
        label="In addresses"
        className="mono"
        isOptional
        hint="A short word, e.g. prod; without one it is made of the name. It never changes"
        value={wish.hrid}
        maxLength={64}
        error={faults.hrid}
        onChange={({ target: { value } }) => change({ hrid: value })}
      />
      <TextField
        label="Description"
        isOptional
        value={wish.description}
        maxLength={4_096}
        error={faults.description}
        onChange={({ target: { value } }) => change({ description: value })}
      />
    </FormDialog>
  );
}
