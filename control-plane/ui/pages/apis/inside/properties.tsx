import { getRouteApi } from '@tanstack/react-router';
import { FileInput, Plus, X } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '../../../kit/button.tsx';
import { Cell } from '../../../kit/cell.tsx';
import { FilterBox } from '../../../kit/field.tsx';
import { isMask, mask } from '../../../kit/mask.ts';
import { Body, Panel } from '../../../kit/page.tsx';
import { Place, useFocusOn } from '../../../kit/place.tsx';
import type { JsonObject } from '../../../kit/schema-form/shape.ts';
import { Tag } from '../../../kit/status.tsx';
import { type Column, DataTable, usePages } from '../../../kit/table.tsx';
import { Empty } from '../../../kit/told.tsx';
import { useDrawn } from '../draft/drafted.tsx';
import { faultAt, objectsOf, textOf, writeSection } from '../draft/sections.ts';
import { FetchedProperties } from './fetched-properties.tsx';
import { ImportProperties } from './import-properties.tsx';
import styles from './inside.module.css';

const route = getRouteApi('/$env/apis/$api/draft/properties');

/** One property, with its place in the draft, as faults name it. */
interface Row {
  readonly index: number;
  readonly property: JsonObject;
  /** What is wrong with its key; of two that are the same, at both. */
  readonly fault: string | undefined;
}

/** What flows of an API read by name while it serves, e.g. `{#api.properties['limit']}`. */
export function ApiProperties() {
  const { designing } = useDrawn();
  const { at } = route.useSearch();
  const properties = objectsOf(designing.design.api['properties']);
  if (properties === undefined)
    return (
      <Empty title="The properties cannot be drawn">
        The draft holds something else in place of a list of properties. Discard it, or write it anew by the
        API.
      </Empty>
    );
  return (
    <Body>
      <Listed key={at} {...{ properties, at }} />
      <FetchedProperties />
    </Body>
  );
}

function Listed({
  properties,
  at,
}: {
  readonly properties: readonly JsonObject[];
  readonly at: string | undefined;
}) {
  const { designing, isReadOnly } = useDrawn();
  const [text, setText] = useState('');
  const [isImporting, setImporting] = useState(false);
  const write = (next: readonly JsonObject[], subject?: string): void =>
    writeSection(designing, { properties: next }, subject ?? `properties ${next.length}`);
  const all = rowsOf(properties, (index) => faultAt(designing, `properties[${index}].key`));
  const found = all.filter(({ property }) =>
    textOf(property['key']).toLowerCase().includes(text.toLowerCase()),
  );
  const { rows, paging } = usePages(found, Number(/^properties\[(\d+)\]/.exec(at ?? '')?.[1] ?? 0));
  useFocusOn(at);
  const add = (): void => {
    setText('');
    write([{ key: '', value: '' }, ...properties]);
  };
  return (
    <Panel
      title="Properties"
      isBare
      end={
        <Tools
          {...{ text, isReadOnly }}
          hasSome={properties.length > 0}
          onText={setText}
          onImport={() => setImporting(true)}
          onAdd={add}
        />
      }
    >
      <DataTable
        label="Properties"
        isInner
        rows={rows}
        // One more stands before the others, which keep their fields.
        keyOf={({ index }) => String(properties.length - index)}
        columns={columnsOf({
          isReadOnly,
          onChange: (index, next, field) =>
            write(properties.with(index, next), `properties[${index}].${field}`),
          onRemove: (index) => write(properties.toSpliced(index, 1)),
        })}
        paging={paging}
        empty={
          properties.length === 0 ? (
            <Empty title="No properties yet">
              A property is a value that policies and backends of this API read by its key:{' '}
              <span className="mono">{"{#api.properties['key']}"}</span>. What is secret is encrypted.
            </Empty>
          ) : (
            <Empty title="No property matches">None has “{text}” in its key.</Empty>
          )
        }
      />
      {isImporting && (
        <ImportProperties
          {...{ properties }}
          onImport={(next) => write(next)}
          onClose={() => setImporting(false)}
        />
      )}
    </Panel>
  );
}

/** What narrows the list, and what adds to it. */
function Tools({
  text,
  hasSome,
  isReadOnly,
  onText,
  onImport,
  onAdd,
}: {
  readonly text: string;
  readonly hasSome: boolean;
  readonly isReadOnly: boolean;
  readonly onText: (text: string) => void;
  readonly onImport: () => void;
  readonly onAdd: () => void;
}) {
  return (
    <>
      {hasSome && <FilterBox label="Filter by key" value={text} onChange={onText} />}
      {!isReadOnly && (
        <>
          <Button size="small" onClick={onImport}>
            <FileInput size={14} aria-hidden />
            Import
          </Button>
          <Button size="small" onClick={onAdd}>
            <Plus size={14} aria-hidden />
            Add property
          </Button>
        </>
      )}
    </>
  );
}

function rowsOf(
  properties: readonly JsonObject[],
  told: (index: number) => string | undefined,
): readonly Row[] {
  const counts = new Map<string, number>();
  for (const { key } of properties) counts.set(textOf(key), (counts.get(textOf(key)) ?? 0) + 1);
  return properties.map((property, index) => {
    const isTwice = textOf(property['key']) !== '' && (counts.get(textOf(property['key'])) ?? 0) > 1;
    return { property, index, fault: isTwice ? 'is there twice' : told(index) };
  });
}

interface Deeds {
  readonly isReadOnly: boolean;
  readonly onChange: (index: number, property: JsonObject, field: string) => void;
  readonly onRemove: (index: number) => void;
}

const isFetched = ({ property }: Row): boolean => property['dynamic'] === true;

function columnsOf(deeds: Deeds): readonly Column<Row>[] {
  const { isReadOnly, onChange, onRemove } = deeds;
  return [
    {
      title: 'Key',
      cell: (row) =>
        isReadOnly || isFetched(row) ? (
          <span className="mono">{textOf(row.property['key'])}</span>
        ) : (
          <Place at={`properties[${row.index}].key`}>
            <Cell
              label={`Key ${row.index + 1}`}
              value={textOf(row.property['key'])}
              maxLength={256}
              error={row.fault}
              autoFocus={row.index === 0 && textOf(row.property['key']) === ''}
              onChange={(key) => onChange(row.index, { ...row.property, key }, 'key')}
            />
          </Place>
        ),
    },
    { title: 'Value', cell: (row) => <Value {...{ row, deeds }} /> },
    { title: 'Secret', cell: (row) => <Encrypted {...{ row, deeds }} /> },
    {
      title: 'Remove',
      align: 'end',
      isDeeds: true,
      cell: (row) =>
        isReadOnly ? null : isFetched(row) ? (
          <Tag>fetched</Tag>
        ) : (
          <IconButton label={`Remove ${textOf(row.property['key'])}`} onClick={() => onRemove(row.index)}>
            <X size={14} aria-hidden />
          </IconButton>
        ),
    },
  ];
}

/** A value; of an encrypted one nothing is shown, and it stays until another is written. */
function Value({ row, deeds: { isReadOnly, onChange } }: { readonly row: Row; readonly deeds: Deeds }) {
  const { designing } = useDrawn();
  const { index, property } = row;
  const value = textOf(property['value']);
  const isKept = property['encrypted'] === true && isMask(value);
  if (isReadOnly || isFetched(row))
    return <span className={`mono ${styles['value']}`}>{isKept ? mask : value}</span>;
  return (
    <Place at={`properties[${index}].value`}>
      <Cell
        label={`Value of ${textOf(property['key'])}`}
        type={property['encrypted'] === true ? 'password' : 'text'}
        autoComplete="off"
        value={isKept ? '' : value}
        placeholder={isKept ? `${mask} kept; type to replace it` : ''}
        error={faultAt(designing, `properties[${index}].value`)}
        onChange={(next) => onChange(index, { ...property, value: next }, 'value')}
      />
    </Place>
  );
}

/** Whether a value is kept encrypted. Nobody takes that from a value that is kept: it would have to be shown. */
function Encrypted({
  row: { index, property },
  deeds: { isReadOnly, onChange },
}: {
  readonly row: Row;
  readonly deeds: Deeds;
}) {
  const isOn = property['encrypted'] === true;
  const isKept = isOn && isMask(property['value']);
  if (property['dynamic'] === true) return <span className="quiet">–</span>;
  return (
    <label className={styles['secret']} title={isKept ? 'Write another value to take it away' : undefined}>
      <input
        type="checkbox"
        aria-label={`Encrypt ${textOf(property['key'])}`}
        checked={isOn}
        disabled={isReadOnly || isKept}
        onChange={() => onChange(index, { ...property, encrypted: !isOn }, 'encrypted')}
      />
      {isOn ? 'encrypted' : 'plain'}
    </label>
  );
}
