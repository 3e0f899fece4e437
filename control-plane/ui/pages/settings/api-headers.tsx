import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { AreaField, TextField } from '../../kit/field.tsx';
import { Toolbar } from '../../kit/page.tsx';
import { type Column, DataTable, deedsColumn, usePages } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { type ApiHeader, apiHeadersOf } from './questions.ts';

const route = getRouteApi('/$env/settings/api-headers');
const path = '/management/organizations/{orgId}/environments/{envId}/configuration/apiheaders';
const at = (env: string) => ({ orgId: organization, envId: env });

/** What is said of every API of the environment, each by a template over the API. */
export function ApiHeaders() {
  const { env } = route.useParams();
  const { data, error } = useQuery(apiHeadersOf(env));
  const { rows, paging } = usePages(data);
  const [written, setWritten] = useState<ApiHeader | 'new'>();
  const [deleted, setDeleted] = useState<ApiHeader>();
  const may = useRights({ env });
  const create = may('API_HEADER', 'C') ? (
    <Button look="primary" onClick={() => setWritten('new')}>
      <Plus size={16} aria-hidden />
      Create header
    </Button>
  ) : undefined;
  return (
    <>
      {data !== undefined && data.length > 0 && (
        <Toolbar end={create}>
          <span>Said of every API, in this order</span>
        </Toolbar>
      )}
      <DataTable
        label="API headers"
        rows={rows}
        paging={paging}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf({
          onEdit: may('API_HEADER', 'U') ? setWritten : undefined,
          onDelete: may('API_HEADER', 'D') ? setDeleted : undefined,
        })}
        empty={
          <Empty title="No headers yet" action={create}>
            A header says something of every API by a template over it: its version, who owns it, since when
            it is deployed.
          </Empty>
        }
      />
      {written !== undefined && (
        <HeaderDialog
          env={env}
          header={written === 'new' ? undefined : written}
          onClose={() => setWritten(undefined)}
        />
      )}
      {deleted !== undefined && (
        <DeleteHeader env={env} header={deleted} onClose={() => setDeleted(undefined)} />
      )}
    </>
  );
}

type Deed = ((header: ApiHeader) => void) | undefined;

function columnsOf({
  onEdit,
  onDelete,
}: {
  readonly onEdit: Deed;
  readonly onDelete: Deed;
}): readonly Column<ApiHeader>[] {
  return [
    { title: 'Name', cell: ({ name }) => <b className="clip">{name}</b> },
    { title: 'Template', cell: ({ value }) => <code className="mono second clip">{value}</code> },
    { title: 'Place', align: 'end', cell: ({ order }) => order },
    { title: 'Changed', align: 'end', cell: ({ updated_at }) => <Time at={updated_at} /> },
    ...deedsColumn<ApiHeader>('Change', [
      { verb: 'Edit', label: ({ name }) => `Edit ${name}`, onDo: onEdit },
      { verb: 'Delete', label: ({ name }) => `Delete ${name}`, onDo: onDelete },
    ]),
  ];
}

function HeaderDialog({
  env,
  header,
  onClose,
}: {
  readonly env: string;
  readonly header: ApiHeader | undefined;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState(header?.name ?? '');
  const [value, setValue] = useState(header?.value ?? '');
  const [order, setOrder] = useState(header?.order ?? 1);
  const saving = useChange({
    change: () =>
      header === undefined
        ? answerOf(api.POST(path, { params: { path: at(env) }, body: { name, value } }))
        : answerOf(
            api.PUT(`${path}/{headerId}`, {
              params: { path: { ...at(env), headerId: header.id } },
              body: { name, value, order },
            }),
          ),
    touches: [['api-headers', env]],
    onDone: onClose,
  });
  const verb = header === undefined ? 'Create header' : 'Save header';
  return (
    <FormDialog
      title={header === undefined ? 'Create header' : `Edit ${header.name}`}
      isOpen
      onClose={onClose}
      submit={{ verb, mutation: saving, isReady: name.trim() !== '' && value !== '' }}
    >
      <TextField
        label="Name"
        value={name}
        maxLength={128}
        autoFocus
        error={Problem.at(saving.error, 'name')}
        onChange={(event) => setName(event.target.value)}
      />
      <AreaField
        label="Template"
        hint="FreeMarker over api: id, name, version, description, visibility, state, createdAt, updatedAt, deployedAt and primaryOwner.displayName, e.g. ${api.version}; ! behind what may be missing"
        rows={3}
        value={value}
        error={Problem.at(saving.error, 'value')}
        onChange={(event) => setValue(event.target.value)}
      />
      {header !== undefined && (
        <TextField
          label="Place in the list"
          hint="1 stands first"
          type="number"
          min={1}
          max={50}
          value={order}
          error={Problem.at(saving.error, 'order')}
          onChange={({ target: { valueAsNumber } }) =>
            setOrder(Number.isNaN(valueAsNumber) ? 1 : valueAsNumber)
          }
        />
      )}
    </FormDialog>
  );
}

function DeleteHeader({
  env,
  header,
  onClose,
}: {
  readonly env: string;
  readonly header: ApiHeader;
  readonly onClose: () => void;
}) {
  const deleting = useChange({
    change: () =>
      answerOf(api.DELETE(`${path}/{headerId}`, { params: { path: { ...at(env), headerId: header.id } } })),
    touches: [['api-headers', env]],
    onDone: onClose,
    said: () => ({ text: `${header.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${header.name}?`}
      about="It is said of no API any more."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete header', mutation: deleting, isDangerous: true }}
    />
  );
}
