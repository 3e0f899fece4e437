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
import { type Column, DataTable, usePages } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty } from '../../kit/told.tsx';
import {
  createDictionary,
  type Dictionary,
  type DictionaryItem,
  listedDictionaries,
  stateOf,
} from './questions.ts';

const route = getRouteApi('/$env/dictionaries');

/** Words that all APIs of the environment can look up while they serve. */
export function Dictionaries() {
  const { env } = route.useParams();
  const { q } = route.useSearch();
  const navigate = useNavigate({ from: '/$env/dictionaries' });
  const [isCreating, setCreating] = useState(false);
  const may = useRights({ env });
  const { data, error } = useQuery(listedDictionaries(env));
  const text = q?.toLowerCase() ?? '';
  const found = data?.filter(({ name, key }) => `${name} ${key}`.toLowerCase().includes(text));
  const { rows, paging } = usePages(found);
  const create = may('DICTIONARY', 'C') ? (
    <Button look="primary" onClick={() => setCreating(true)}>
      <Plus size={16} aria-hidden />
      Create dictionary
    </Button>
  ) : undefined;
  return (
    <>
      <PageHeader title="Dictionaries" actions={create} />
      <Toolbar>
        <FilterBox
          label="Filter by name or key"
          value={q}
          onChange={(next) => void navigate({ search: next === '' ? {} : { q: next }, replace: true })}
        />
      </Toolbar>
      <DataTable
        label="Dictionaries"
        rows={rows}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf(env)}
        paging={paging}
        empty={
          q === undefined ? (
            <Empty title="No dictionaries yet" action={create}>
              A dictionary holds words that policies and backends of all APIs can name, and that change
              without a deployment: hosts, limits, texts.
            </Empty>
          ) : (
            <Empty
              title="No dictionary matches"
              action={<Button onClick={() => void navigate({ search: {} })}>Clear the filter</Button>}
            >
              None has “{q}” in its name or key.
            </Empty>
          )
        }
      />
      {isCreating && <CreateDictionary env={env} onClose={() => setCreating(false)} />}
    </>
  );
}

function columnsOf(env: string): readonly Column<DictionaryItem>[] {
  return [
    {
      title: 'Name',
      cell: ({ id, name }) => (
        <Link to="/$env/dictionaries/$dictionary" params={{ env, dictionary: id }}>
          {name}
        </Link>
      ),
    },
    { title: 'Key', cell: ({ key }) => <span className="mono second">{key}</span> },
    { title: 'Words are', cell: ({ type }) => <Tag>{type === 'DYNAMIC' ? 'fetched' : 'written here'}</Tag> },
    {
      title: 'State',
      cell: (dictionary) => {
        const [tone, word] = stateOf(dictionary);
        return <Status tone={tone}>{word}</Status>;
      },
    },
    { title: 'Words', align: 'end', cell: ({ properties }) => <span className="num">{properties}</span> },
    { title: 'Changed', align: 'end', cell: ({ updated_at: at }) => <Time at={at} /> },
  ];
}

function CreateDictionary({ env, onClose }: { readonly env: string; readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [type, setType] = useState<Dictionary['type']>('MANUAL');
  const [url, setUrl] = useState('');
  const creating = useChange({
    change: () =>
      createDictionary(env, {
        name,
        type,
        ...(type === 'DYNAMIC' && {
          provider: { type: 'HTTP', configuration: { url } },
          trigger: { rate: 5, unit: 'MINUTES' },
        }),
      }),
    touches: [['dictionaries', env]],
    onDone: ({ id }) =>
      void navigate({ to: '/$env/dictionaries/$dictionary', params: { env, dictionary: id } }),
  });
  return (
    <FormDialog
      title="Create dictionary"
      isOpen
      onClose={onClose}
      submit={{
        verb: 'Create dictionary',
        mutation: creating,
        isReady: name.trim() !== '' && (type === 'MANUAL' || url !== ''),
      }}
    >
      <TextField
        label="Name"
        hint="Its key is made of it: expressions name the dictionary by that"
        value={name}
        maxLength={256}
        autoFocus
        error={Problem.at(creating.error, 'name')}
        onChange={({ target: { value } }) => setName(value)}
      />
      <Segments
        label="Where its words come from"
        segments={[
          ['MANUAL', 'Written here'],
          ['DYNAMIC', 'Fetched'],
        ]}
        value={type}
        onChoose={setType}
      />
      {type === 'DYNAMIC' && (
        <TextField
          label="URL"
          hint="It answers with JSON; it is asked every five minutes, which its page can change"
          type="url"
          value={url}
          maxLength={2_048}
          error={Problem.at(creating.error, 'provider.configuration.url')}
          onChange={({ target: { value } }) => setUrl(value)}
        />
      )}
    </FormDialog>
  );
}
