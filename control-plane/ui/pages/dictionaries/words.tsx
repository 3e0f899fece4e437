import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useWritten } from '../../api/written.ts';
import { Button, IconButton } from '../../kit/button.tsx';
import { Cell } from '../../kit/cell.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { Discard, Panel, SaveBar } from '../../kit/page.tsx';
import { type Column, DataTable, usePages } from '../../kit/table.tsx';
import { Empty, ProblemBox } from '../../kit/told.tsx';
import { Unsaved } from '../../kit/unsaved.tsx';
import styles from '../account/account.module.css';
import { type Dictionary, saveDictionary, saveWords } from './questions.ts';

interface Props {
  readonly env: string;
  readonly of: Dictionary;
  readonly isReadOnly: boolean;
}

interface Word {
  /** Of the row, whatever is written in it. */
  readonly at: number;
  readonly key: string;
  readonly value: string;
}

const wordsOf = ({ properties = {} }: Dictionary): readonly Word[] =>
  Object.entries(properties).map(([key, value], at) => ({ at, key, value }));

/** The words of a dictionary; those that are written here can be changed. */
export function Words({ env, of, isReadOnly }: Props) {
  const written = useWritten<Dictionary, { readonly properties: readonly Word[] }>(of);
  const shown = written.fields.properties ?? wordsOf(of);
  const setWritten = (properties: readonly Word[]): void => written.write({ properties });
  const { rows, paging } = usePages(shown);
  const saving = useChange({
    change: () =>
      saveWords(env, written.over, Object.fromEntries(shown.map(({ key, value }) => [key, value]))),
    touches: [['dictionaries', env]],
    written,
  });
  const set = (word: Word): void => setWritten(shown.map((each) => (each.at === word.at ? word : each)));
  const keys = shown.map(({ key }) => key);
  const hasFault = keys.includes('') || new Set(keys).size < keys.length;
  const add = isReadOnly ? undefined : (
    <Button
      size="small"
      onClick={() =>
        setWritten([{ at: Math.max(-1, ...shown.map(({ at }) => at)) + 1, key: '', value: '' }, ...shown])
      }
    >
      <Plus size={14} aria-hidden />
      Add word
    </Button>
  );
  return (
    <>
      <Panel title="Words" isBare end={add}>
        <DataTable
          label="Words"
          isInner
          rows={rows}
          keyOf={({ at }) => String(at)}
          columns={columnsOf({
            isReadOnly,
            onChange: set,
            onRemove: ({ at }) => setWritten(shown.filter((each) => each.at !== at)),
          })}
          paging={paging}
          empty={
            <Empty title="No words yet">
              {of.type === 'DYNAMIC'
                ? 'They come with the first fetch.'
                : 'Add the first one, and deploy it.'}
            </Empty>
          }
        />
      </Panel>
      {saving.error !== null && <ProblemBox error={saving.error} />}
      {written.isWritten && (
        <SaveBar change={saving.change}>
          {hasFault && <span className="second">Each word is there once, and is not empty</span>}
          <Discard {...{ saving, written }} />
          <Button look="primary" disabled={hasFault || saving.isPending} onClick={() => saving.mutate()}>
            Save words
          </Button>
        </SaveBar>
      )}
    </>
  );
}

function columnsOf({
  isReadOnly,
  onChange,
  onRemove,
}: {
  readonly isReadOnly: boolean;
  readonly onChange: (word: Word) => void;
  readonly onRemove: (word: Word) => void;
}): readonly Column<Word>[] {
  if (isReadOnly)
    return [
      { title: 'Word', cell: ({ key }) => <span className="mono">{key}</span> },
      { title: 'Stands for', cell: ({ value }) => <span className="mono clip">{value}</span> },
    ];
  return [
    {
      title: 'Word',
      cell: (word) => (
        <Cell
          label="Word"
          value={word.key}
          maxLength={4_096}
          onChange={(key) => onChange({ ...word, key })}
        />
      ),
    },
    {
      title: 'Stands for',
      cell: (word) => (
        <Cell
          label={`Value of ${word.key}`}
          value={word.value}
          maxLength={4_096}
          onChange={(value) => onChange({ ...word, value })}
        />
      ),
    },
    {
      title: 'Remove',
      align: 'end',
      isDeeds: true,
      cell: (word) => (
        <IconButton label={`Remove ${word.key}`} onClick={() => onRemove(word)}>
          <X size={14} aria-hidden />
        </IconButton>
      ),
    },
  ];
}

type Unit = NonNullable<Dictionary['trigger']>['unit'];
const units: readonly (readonly [Unit, string])[] = [
  ['SECONDS', 'seconds'],
  ['MINUTES', 'minutes'],
  ['HOURS', 'hours'],
  ['DAYS', 'days'],
];

/** Where words are fetched, and how often. */
export function Source({ env, of, isReadOnly }: Props) {
  const [url, setUrl] = useState(of.provider?.configuration.url ?? '');
  const [rate, setRate] = useState(of.trigger?.rate ?? 5);
  const [unit, setUnit] = useState<Unit>(of.trigger?.unit ?? 'MINUTES');
  const saving = useChange({
    change: () =>
      saveDictionary(env, of.id, {
        name: of.name,
        type: of.type,
        ...(of.description !== undefined && { description: of.description }),
        provider: { type: 'HTTP', configuration: { ...of.provider?.configuration, url } },
        trigger: { rate, unit },
      }),
    touches: [['dictionaries', env]],
  });
  const isChanged =
    url !== of.provider?.configuration.url || rate !== of.trigger?.rate || unit !== of.trigger?.unit;
  return (
    <fieldset className={styles['rows']} disabled={isReadOnly}>
      <TextField
        label="URL"
        value={url}
        maxLength={2_048}
        error={Problem.at(saving.error, 'provider.configuration.url')}
        onChange={({ target: { value } }) => setUrl(value)}
      />
      <div className={styles['pair']}>
        <TextField
          label="Every"
          type="number"
          min={1}
          value={rate}
          error={Problem.at(saving.error, 'trigger.rate')}
          onChange={({ target: { valueAsNumber } }) =>
            setRate(Number.isNaN(valueAsNumber) ? 1 : valueAsNumber)
          }
        />
        <SelectField label="Unit" value={unit} options={units} onChoose={setUnit} />
      </div>
      {saving.error !== null && <ProblemBox error={saving.error} />}
      {isChanged && (
        <div className={styles['end']}>
          <Unsaved />
          <Button look="primary" disabled={saving.isPending || url === ''} onClick={() => saving.mutate()}>
            Save source
          </Button>
        </div>
      )}
    </fieldset>
  );
}
