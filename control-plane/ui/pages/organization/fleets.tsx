import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useOrganizationRights } from '../../api/rights.ts';
import { environments } from '../../api/session.ts';
import { Button } from '../../kit/button.tsx';
import { ChecksField } from '../../kit/checks.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { PageHeader } from '../../kit/page.tsx';
import { Tag } from '../../kit/status.tsx';
import { type Column, DataTable, usePages } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { WordsField } from '../../kit/words-field.tsx';
import { useKnownTags, useKnownTenants } from '../words.ts';
import { allFleets, type Fleet, saveFleet } from './fleet-questions.ts';

/** Gateways that serve the same: which environments, and which APIs of them. */
export function Fleets() {
  const { data, error } = useQuery(allFleets);
  const { data: known } = useQuery(environments);
  const [isCreating, setCreating] = useState(false);
  const may = useOrganizationRights();
  const { rows, paging } = usePages(data?.data);
  const names = new Map(known?.data.map(({ id, name }) => [id, name]));
  const create = may('FLEET', 'C') ? (
    <Button look="primary" onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden />
      Create fleet
    </Button>
  ) : undefined;
  return (
    <>
      <PageHeader title="Fleets" sub="Gateways that serve the same" actions={create} />
      <DataTable
        label="Fleets"
        rows={rows}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(names)}
        paging={paging}
        empty={
          <Empty title="No fleets yet" action={create}>
            A fleet says which environments its gateways serve. Machines enrol in it by a token.
          </Empty>
        }
      />
      {isCreating && <FleetDialog onClose={() => setCreating(false)} />}
    </>
  );
}

function columnsOf(names: ReadonlyMap<string, string>): readonly Column<Fleet>[] {
  return [
    {
      title: 'Name',
      cell: ({ id, name }) => (
        <Link to="/_org/fleets/$fleet" params={{ fleet: id }}>
          {name}
        </Link>
      ),
    },
    {
      title: 'Serves',
      cell: ({ environments: ids }) => (
        <span className="clip">{ids.map((id) => names.get(id) ?? id).join(', ')}</span>
      ),
    },
    {
      title: 'Sharding tags',
      cell: ({ tags }) =>
        tags.length === 0 ? (
          <span className="quiet">none: APIs without tags</span>
        ) : (
          tags.map((tag) => <Tag key={tag}>{tag}</Tag>)
        ),
    },
    {
      title: 'Description',
      cell: ({ description }) => <span className="second clip">{description || '–'}</span>,
    },
    { title: 'Changed', align: 'end', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
  ];
}

/** A new fleet, or another shape for one. */
export function FleetDialog({ fleet, onClose }: { readonly fleet?: Fleet; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const { data: known } = useQuery(environments);
  const [name, setName] = useState(fleet?.name ?? '');
  const [description, setDescription] = useState(fleet?.description ?? '');
  const [tags, setTags] = useState<readonly string[]>(fleet?.tags ?? []);
  const [tenant, setTenant] = useState(fleet?.tenant ?? '');
  const knownTags = useKnownTags();
  const [wanted, setWanted] = useState<readonly string[] | undefined>(fleet?.environments);
  const chosen = wanted ?? known?.data.map(({ id }) => id) ?? [];
  const saving = useChange({
    change: () =>
      saveFleet(fleet?.id, {
        name,
        description,
        tags: [...tags],
        environments: [...chosen],
        ...(tenant !== '' && { tenant }),
      }),
    touches: [['fleets']],
    onDone: ({ id }) => {
      onClose();
      if (fleet === undefined) void navigate({ to: '/_org/fleets/$fleet', params: { fleet: id } });
    },
  });
  const verb = fleet === undefined ? 'Create fleet' : 'Save fleet';
  return (
    <FormDialog
      title={fleet === undefined ? 'Create fleet' : `Edit ${fleet.name}`}
      isOpen
      onClose={onClose}
      submit={{ verb, mutation: saving, isReady: name.trim() !== '' && chosen.length > 0 }}
    >
      <TextField
        label="Name"
        value={name}
        maxLength={256}
        autoFocus
        error={Problem.at(saving.error, 'name')}
        onChange={({ target: { value } }) => setName(value)}
      />
      <TextField
        label="Description"
        hint="Where these gateways are, and whom they serve"
        isOptional
        value={description}
        onChange={({ target: { value } }) => setDescription(value)}
      />
      <WordsField
        label="Sharding tags"
        others="Other tags"
        hint="APIs that have one of them are served here, with !internal all but those; without tags only APIs without any"
        known={knownTags}
        words={tags}
        error={saving.error === null ? undefined : Problem.of(saving.error).at({ tags: 'tags' }).faults.tags}
        onChange={setTags}
      />
      <TenantField tenant={tenant} error={Problem.at(saving.error, 'tenant')} onChange={setTenant} />
      <ChecksField
        label="Environments"
        choices={(known?.data ?? []).map(({ id, name: label }) => ({ id, name: label }))}
        chosen={chosen}
        onChange={setWanted}
      />
    </FormDialog>
  );
}

/** Where the gateways of a fleet stand; nothing to choose where nobody made a tenant. */
function TenantField({
  tenant,
  error,
  onChange,
}: {
  readonly tenant: string;
  readonly error: string | undefined;
  readonly onChange: (tenant: string) => void;
}) {
  const tenants = useKnownTenants();
  if (tenants.length === 0 && tenant === '') return null;
  return (
    <SelectField
      label="Tenant"
      hint="Where its gateways stand: they call endpoints that are kept for this tenant, and those of nobody"
      isOptional
      value={tenant}
      error={error}
      options={[
        ['', 'None'],
        ...tenants.map(({ id, name }) => [id, name] as const),
        // One that was deleted since stands there still.
        ...(tenant === '' || tenants.some(({ id }) => id === tenant) ? [] : [[tenant, tenant] as const]),
      ]}
      onChange={({ target: { value } }) => onChange(value)}
    />
  );
}
