import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { Toolbar } from '../../kit/page.tsx';
import { Tag } from '../../kit/status.tsx';
import { type Column, DataTable, deedsColumn, usePages } from '../../kit/table.tsx';
import { Empty } from '../../kit/told.tsx';
import { metadataOf } from './questions.ts';

type Metadata = Schemas['Metadata'];
type Format = Metadata['format'];

const route = getRouteApi('/$env/settings/metadata');
const path = '/management/organizations/{orgId}/environments/{envId}/configuration/metadata';
const at = (env: string) => ({ orgId: organization, envId: env });

const formats: readonly (readonly [Format, string])[] = [
  ['STRING', 'Text'],
  ['NUMERIC', 'Number'],
  ['BOOLEAN', 'Yes or no'],
  ['DATE', 'Day'],
  ['MAIL', 'Mail address'],
  ['URL', 'URL'],
];
const formatWords = new Map(formats);

/** Fields that every API and application of the environment has, with what stands in them unless they say otherwise. */
export function EnvironmentMetadata() {
  const { env } = route.useParams();
  const { data, error } = useQuery(metadataOf(env));
  const { rows, paging } = usePages(data);
  const [written, setWritten] = useState<Metadata | 'new'>();
  const [deleted, setDeleted] = useState<Metadata>();
  const may = useRights({ env });
  const create = may('METADATA', 'C') ? (
    <Button look="primary" onClick={() => setWritten('new')}>
      <Plus size={16} aria-hidden />
      Create field
    </Button>
  ) : undefined;
  return (
    <>
      {data !== undefined && data.length > 0 && (
        <Toolbar end={create}>
          <span>Every API and application has these fields, and may say something else in them</span>
        </Toolbar>
      )}
      <DataTable
        label="Metadata"
        rows={rows}
        paging={paging}
        error={error}
        keyOf={({ key }) => key}
        columns={columnsOf({
          onEdit: may('METADATA', 'U') ? setWritten : undefined,
          onDelete: may('METADATA', 'D') ? setDeleted : undefined,
        })}
        empty={
          <Empty title="No fields yet" action={create}>
            A field says something about every API and application: who answers at night, which cost centre
            pays.
          </Empty>
        }
      />
      {written !== undefined && (
        <FieldDialog
          env={env}
          field={written === 'new' ? undefined : written}
          onClose={() => setWritten(undefined)}
        />
      )}
      {deleted !== undefined && (
        <DeleteField env={env} field={deleted} onClose={() => setDeleted(undefined)} />
      )}
    </>
  );
}

type Deed = ((field: Metadata) => void) | undefined;

function columnsOf({
  onEdit,
  onDelete,
}: {
  readonly onEdit: Deed;
  readonly onDelete: Deed;
}): readonly Column<Metadata>[] {
  return [
    { title: 'Name', cell: ({ name }) => <b className="clip">{name}</b> },
    { title: 'Key', cell: ({ key }) => <span className="mono second">{key}</span> },
    { title: 'Kind', cell: ({ format }) => <Tag>{formatWords.get(format)}</Tag> },
    {
      title: 'Value',
      cell: ({ value }) =>
        value === undefined || value === '' ? (
          <span className="quiet">none</span>
        ) : (
          <span className="clip">{value}</span>
        ),
    },
    ...deedsColumn<Metadata>('Change', [
      { verb: 'Edit', label: ({ name }) => `Edit ${name}`, onDo: onEdit },
      { verb: 'Delete', label: ({ name }) => `Delete ${name}`, onDo: onDelete },
    ]),
  ];
}

function FieldDialog({
  env,
  field,
  onClose,
}: {
  readonly env: string;
  readonly field: Metadata | undefined;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState(field?.name ?? '');
  const [format, setFormat] = useState<Format>(field?.format ?? 'STRING');
  const [value, setValue] = useState(field?.value ?? '');
  const body = { name, format, ...(value !== '' && { value }) };
  const saving = useChange({
    change: () =>
      field === undefined
        ? answerOf(api.POST(path, { params: { path: at(env) }, body }))
        : answerOf(api.PUT(path, { params: { path: at(env) }, body: { key: field.key, ...body } })),
    touches: [['metadata', env]],
    onDone: onClose,
  });
  const verb = field === undefined ? 'Create field' : 'Save field';
  return (
    <FormDialog
      title={field === undefined ? 'Create field' : `Edit ${field.name}`}
      isOpen
      onClose={onClose}
      submit={{ verb, mutation: saving, isReady: name.trim() !== '' }}
    >
      <TextField
        label="Name"
        value={name}
        maxLength={256}
        autoFocus
        hint={field === undefined ? 'Its key is made of it' : `Its key stays ${field.key}`}
        error={Problem.at(saving.error, 'name')}
        onChange={(event) => setName(event.target.value)}
      />
      <SelectField
        label="Kind"
        value={format}
        options={formats}
        onChoose={(chosen) => {
          setFormat(chosen);
          setValue('');
        }}
      />
      <ValueField
        format={format}
        value={value}
        error={Problem.at(saving.error, 'value')}
        onChange={setValue}
      />
    </FormDialog>
  );
}

/** What stands in a field, in a way that fits its kind. */
function ValueField({
  format,
  value,
  error,
  onChange,
}: {
  readonly format: Format;
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  if (format === 'BOOLEAN')
    return (
      <SelectField
        label="Value"
        value={value}
        error={error}
        options={[
          ['', 'None'],
          ['true', 'Yes'],
          ['false', 'No'],
        ]}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  return (
    <TextField
      label="Value"
      hint="What stands in it where an API or application says nothing else"
      isOptional
      type={inputTypes.get(format) ?? 'text'}
      value={value}
      maxLength={4_096}
      error={error}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

const inputTypes: ReadonlyMap<Format, string> = new Map([
  ['DATE', 'date'],
  ['MAIL', 'email'],
  ['URL', 'url'],
]);

function DeleteField({
  env,
  field,
  onClose,
}: {
  readonly env: string;
  readonly field: Metadata;
  readonly onClose: () => void;
}) {
  const deleting = useChange({
    change: () =>
      answerOf(
        api.DELETE(`${path}/{metadataKey}`, {
          params: { path: { ...at(env), metadataKey: field.key } },
        }),
      ),
    touches: [['metadata', env]],
    onDone: onClose,
    said: () => ({ text: `${field.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${field.name}?`}
      about="APIs and applications that say something in it keep that, as a field of their own."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete field', mutation: deleting, isDangerous: true }}
    />
  );
}
