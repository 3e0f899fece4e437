import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useOrganizationRights } from '../../api/rights.ts';
import { Button } from '../../kit/button.tsx';
import { ChecksField } from '../../kit/checks.tsx';
import { FormDialog } from '../../kit/dialog.tsx';
import { TextField } from '../../kit/field.tsx';
import { Body, PageHeader, Panel } from '../../kit/page.tsx';
import { type Column, DataTable, deedsColumn, usePages } from '../../kit/table.tsx';
import { Empty } from '../../kit/told.tsx';
import { tagsQuery, tenantsQuery } from '../words.ts';
import { allGroups } from './questions.ts';

const org = { orgId: organization };
const tagsPath = '/management/organizations/{orgId}/configuration/tags';
const tenantsPath = '/management/organizations/{orgId}/configuration/tenants';

/** What both kinds have. */
interface Word {
  readonly key: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly restricted_groups?: readonly string[] | undefined;
}

/** How one of the two kinds is called, asked for and changed. */
interface Kind {
  readonly name: 'tag' | 'tenant';
  readonly title: string;
  readonly right: 'TAG' | 'TENANT';
  readonly about: string;
  readonly save: (word: Word, isNew: boolean) => Promise<unknown>;
  readonly remove: (key: string) => Promise<unknown>;
}

const wishOf = ({ name, description = '' }: Word) => ({
  name: name.trim(),
  ...(description.trim() !== '' && { description: description.trim() }),
});

const tagKind: Kind = {
  name: 'tag',
  title: 'Sharding tags',
  right: 'TAG',
  about: 'An API with tags is deployed to the gateways of fleets that have one of them.',
  save: (word, isNew) => {
    const body = { ...wishOf(word), restricted_groups: [...(word.restricted_groups ?? [])] };
    return isNew
      ? answerOf(api.POST(tagsPath, { params: { path: org }, body: { key: word.key.trim(), ...body } }))
      : answerOf(api.PUT(`${tagsPath}/{tagId}`, { params: { path: { ...org, tagId: word.key } }, body }));
  },
  remove: (key) => answerOf(api.DELETE(`${tagsPath}/{tagId}`, { params: { path: { ...org, tagId: key } } })),
};

const tenantKind: Kind = {
  name: 'tenant',
  title: 'Tenants',
  right: 'TENANT',
  about: 'A tenant is a place of gateways; endpoints that name some are called from there alone.',
  save: (word, isNew) => {
    const body = [{ key: word.key.trim(), ...wishOf(word) }];
    return isNew
      ? answerOf(api.POST(tenantsPath, { params: { path: org }, body }))
      : answerOf(api.PUT(tenantsPath, { params: { path: org }, body }));
  },
  remove: (key) =>
    answerOf(api.DELETE(`${tenantsPath}/{tenantId}`, { params: { path: { ...org, tenantId: key } } })),
};

/** What gateways are sharded by: tags of APIs, and tenants of endpoints. */
export function Tags() {
  const tag = useQuery(tagsQuery);
  const tenant = useQuery(tenantsQuery);
  return (
    <>
      <PageHeader title="Tags and tenants" sub="What gateways are sharded by" />
      <Body>
        <Words kind={tagKind} words={tag.data} error={tag.error} />
        <Words kind={tenantKind} words={tenant.data} error={tenant.error} />
      </Body>
    </>
  );
}

function Words({
  kind,
  words,
  error,
}: {
  readonly kind: Kind;
  readonly words: readonly Word[] | undefined;
  readonly error: unknown;
}) {
  const may = useOrganizationRights();
  const { rows, paging } = usePages(words);
  const { data: known } = useQuery(allGroups);
  const [written, setWritten] = useState<Word | 'new'>();
  const [deleted, setDeleted] = useState<Word>();
  const create = may(kind.right, 'C') ? (
    <Button onClick={() => setWritten('new')}>
      <Plus size={16} aria-hidden />
      Create {kind.name}
    </Button>
  ) : undefined;
  return (
    <Panel title={kind.title} isBare end={words !== undefined && words.length > 0 ? create : undefined}>
      <DataTable
        label={kind.title}
        isInner
        rows={rows}
        error={error}
        keyOf={({ key }) => key}
        paging={paging}
        columns={[
          ...columnsOf(kind, known ?? []),
          ...deedsColumn<Word>('Change', [
            {
              verb: 'Edit',
              label: ({ name }) => `Edit ${name}`,
              onDo: may(kind.right, 'U') ? setWritten : undefined,
            },
            {
              verb: 'Delete',
              label: ({ name }) => `Delete ${name}`,
              onDo: may(kind.right, 'D') ? setDeleted : undefined,
            },
          ]),
        ]}
        empty={
          <Empty title={`No ${kind.name}s yet`} action={create}>
            {kind.about}
          </Empty>
        }
      />
      {written !== undefined && (
        <WordDialog
          kind={kind}
          word={written === 'new' ? undefined : written}
          groups={known ?? []}
          onClose={() => setWritten(undefined)}
        />
      )}
      {deleted !== undefined && (
        <DeleteWord kind={kind} word={deleted} onClose={() => setDeleted(undefined)} />
      )}
    </Panel>
  );
}

interface GroupWord {
  readonly id: string;
  readonly name: string;
  readonly environmentName: string;
}
type Groups = readonly GroupWord[];

function columnsOf(kind: Kind, known: Groups): readonly Column<Word>[] {
  const names = new Map(known.map(({ id, name }) => [id, name]));
  return [
    { title: 'Name', cell: ({ name }) => <b className="clip">{name}</b> },
    { title: 'Key', cell: ({ key }) => <span className="mono second">{key}</span> },
    {
      title: 'Description',
      cell: ({ description = '–' }) => <span className="clip second">{description}</span>,
    },
    ...(kind.name === 'tag'
      ? [
          {
            title: 'For',
            cell: ({ restricted_groups: ids = [] }: Word) => (
              <span className="clip second">
                {ids.length === 0 ? 'everybody' : ids.map((id) => names.get(id) ?? id).join(', ')}
              </span>
            ),
          },
        ]
      : []),
  ];
}

function WordDialog({
  kind,
  word,
  groups: known,
  onClose,
}: {
  readonly kind: Kind;
  readonly word: Word | undefined;
  readonly groups: Groups;
  readonly onClose: () => void;
}) {
  const [wish, setWish] = useState<Word>(word ?? { key: '', name: '' });
  const saving = useChange({
    change: () => kind.save(wish, word === undefined),
    touches: [[`${kind.name}s`]],
    onDone: onClose,
  });
  const verb = `${word === undefined ? 'Create' : 'Save'} ${kind.name}`;
  const at = (name: string): string | undefined =>
    Problem.at(saving.error, name) ?? Problem.at(saving.error, `[0].${name}`);
  return (
    <FormDialog
      title={word === undefined ? verb : `Edit ${word.name}`}
      about={kind.about}
      isOpen
      onClose={onClose}
      submit={{ verb, mutation: saving, isReady: wish.name.trim() !== '' && wish.key.trim() !== '' }}
    >
      <TextField
        label="Name"
        value={wish.name}
        maxLength={kind.name === 'tag' ? 64 : 40}
        autoFocus
        error={at('name')}
        onChange={({ target }) => setWish({ ...wish, name: target.value })}
      />
      {word === undefined && (
        <TextField
          label="Key"
          hint="What definitions and fleets name; it stays"
          value={wish.key}
          maxLength={kind.name === 'tag' ? 64 : 40}
          error={at('key')}
          onChange={({ target }) => setWish({ ...wish, key: target.value })}
        />
      )}
      <TextField
        label="Description"
        isOptional
        value={wish.description ?? ''}
        maxLength={4_096}
        error={at('description')}
        onChange={({ target }) => setWish({ ...wish, description: target.value })}
      />
      {kind.name === 'tag' && known.length > 0 && (
        <ChecksField
          label="Kept for members of"
          choices={known.map(({ id, name, environmentName }) => ({ id, name, about: environmentName }))}
          chosen={wish.restricted_groups ?? []}
          onChange={(chosen) => setWish({ ...wish, restricted_groups: chosen })}
        />
      )}
    </FormDialog>
  );
}

function DeleteWord({
  kind,
  word,
  onClose,
}: {
  readonly kind: Kind;
  readonly word: Word;
  readonly onClose: () => void;
}) {
  const deleting = useChange({
    change: () => kind.remove(word.key),
    touches: [[`${kind.name}s`]],
    onDone: onClose,
    said: () => ({ text: `${word.name} is deleted` }),
  });
  return (
    <FormDialog
      title={`Delete ${word.name}?`}
      about={`What uses a ${kind.name} keeps it: then it is not deleted.`}
      isOpen
      onClose={onClose}
      submit={{ verb: `Delete ${kind.name}`, mutation: deleting, isDangerous: true }}
    />
  );
}
