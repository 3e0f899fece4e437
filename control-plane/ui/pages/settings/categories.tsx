import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization, type Schemas } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { AreaField, SwitchField, TextField } from '../../kit/field.tsx';
import { Toolbar } from '../../kit/page.tsx';
import { Status } from '../../kit/status.tsx';
import { type Column, DataTable, deedsColumn, usePages } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import { categoriesOf } from './questions.ts';

type Category = Schemas['Category'];

const route = getRouteApi('/$env/settings/categories');
const path = '/management/organizations/{orgId}/environments/{envId}/configuration/categories';
const at = (env: string) => ({ orgId: organization, envId: env });

/** What APIs are sorted by for those who look for one. */
export function Categories() {
  const { env } = route.useParams();
  const { data, error } = useQuery(categoriesOf(env));
  const { rows, paging } = usePages(data);
  const [written, setWritten] = useState<Category | 'new'>();
  const [deleted, setDeleted] = useState<Category>();
  const may = useRights({ env });
  const create = may('CATEGORY', 'C') ? (
    <Button look="primary" onClick={() => setWritten('new')}>
      <Plus size={16} aria-hidden />
      Create category
    </Button>
  ) : undefined;
  return (
    <>
      {data !== undefined && data.length > 0 && (
        <Toolbar end={create}>
          <span>Shown in this order wherever APIs are sorted by what they are about</span>
        </Toolbar>
      )}
      <DataTable
        label="Categories"
        rows={rows}
        paging={paging}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf({
          onEdit: may('CATEGORY', 'U') ? setWritten : undefined,
          onDelete: may('CATEGORY', 'D') ? setDeleted : undefined,
        })}
        empty={
          <Empty title="No categories yet" action={create}>
            A category says what APIs are about, so that those who look for one find it: payments, shipping.
          </Empty>
        }
      />
      {written !== undefined && (
        <CategoryDialog
          env={env}
          category={written === 'new' ? undefined : written}
          order={data?.length ?? 0}
          onClose={() => setWritten(undefined)}
        />
      )}
      {deleted !== undefined && (
        <DeleteCategory env={env} category={deleted} onClose={() => setDeleted(undefined)} />
      )}
    </>
  );
}

type Deed = ((category: Category) => void) | undefined;

function columnsOf({
  onEdit,
  onDelete,
}: {
  readonly onEdit: Deed;
  readonly onDelete: Deed;
}): readonly Column<Category>[] {
  return [
    { title: 'Name', cell: ({ name }) => <b className="clip">{name}</b> },
    { title: 'Key', cell: ({ key }) => <span className="mono second">{key}</span> },
    {
      title: 'Description',
      cell: ({ description }) => <span className="second clip">{description || '–'}</span>,
    },
    {
      title: 'State',
      cell: ({ hidden }) => (hidden ? <Status tone="idle">Hidden</Status> : <Status tone="ok">Shown</Status>),
    },
    { title: 'APIs', align: 'end', cell: ({ totalApis }) => totalApis ?? '–' },
    { title: 'Changed', align: 'end', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
    ...deedsColumn<Category>('Change', [
      { verb: 'Edit', label: ({ name }) => `Edit ${name}`, onDo: onEdit },
      { verb: 'Delete', label: ({ name }) => `Delete ${name}`, onDo: onDelete },
    ]),
  ];
}

function CategoryDialog({
  env,
  category,
  order,
  onClose,
}: {
  readonly env: string;
  readonly category: Category | undefined;
  /** Where a new one stands. */
  readonly order: number;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState(category?.name ?? '');
  const [description, setDescription] = useState(category?.description ?? '');
  const [hidden, setHidden] = useState(category?.hidden ?? false);
  const [place, setPlace] = useState(category?.order ?? order);
  const saving = useChange({
    change: () => saveCategory(env, category?.id, { name, description, hidden, order: place }),
    touches: [['categories', env]],
    onDone: onClose,
  });
  const verb = category === undefined ? 'Create category' : 'Save category';
  return (
    <FormDialog
      title={category === undefined ? 'Create category' : `Edit ${category.name}`}
      isOpen
      onClose={onClose}
      submit={{ verb, mutation: saving, isReady: name.trim() !== '' }}
    >
      <TextField
        label="Name"
        value={name}
        maxLength={256}
        autoFocus
        hint={category === undefined ? undefined : `Its key stays ${category.key}: APIs name it by that`}
        error={Problem.at(saving.error, 'name')}
        onChange={({ target: { value } }) => setName(value)}
      />
      <AreaField
        label="Description"
        isOptional
        isProse
        rows={3}
        value={description}
        error={Problem.at(saving.error, 'description')}
        onChange={({ target: { value } }) => setDescription(value)}
      />
      <TextField
        label="Place in the list"
        hint="0 stands first"
        type="number"
        min={0}
        value={place}
        error={Problem.at(saving.error, 'order')}
        onChange={({ target: { valueAsNumber } }) =>
          setPlace(Number.isNaN(valueAsNumber) ? 0 : valueAsNumber)
        }
      />
      <SwitchField
        label="Hidden"
        hint="Only who may write categories sees it"
        isOn={hidden}
        onChange={setHidden}
      />
    </FormDialog>
  );
}

function saveCategory(env: string, id: string | undefined, body: Schemas['NewCategory']): Promise<Category> {
  return id === undefined
    ? answerOf(api.POST(path, { params: { path: at(env) }, body }))
    : answerOf(api.PUT(`${path}/{categoryId}`, { params: { path: { ...at(env), categoryId: id } }, body }));
}

function DeleteCategory({
  env,
  category,
  onClose,
}: {
  readonly env: string;
  readonly category: Category;
  readonly onClose: () => void;
}) {
  const deleting = useChange({
    change: () =>
      answerOf(
        api.DELETE(`${path}/{categoryId}`, {
          params: { path: { ...at(env), categoryId: category.id } },
        }),
      ),
    touches: [['categories', env]],
    onDone: onClose,
    said: () => ({ text: `${category.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${category.name}?`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Delete category', mutation: deleting, isDangerous: true }}
    >
      <Effects
        effects={[
          [category.totalApis === undefined ? '–' : String(category.totalApis), 'APIs are in it no more'],
        ]}
      />
    </FormDialog>
  );
}
