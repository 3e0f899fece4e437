import { ArrowDown, ArrowUp, Plus, X } from 'lucide-react';
import { use, useState } from 'react';
import { Button, IconButton } from '../button.tsx';
import { TextField } from '../field.tsx';
import { FormContext, type FormPlace, useFault } from './context.ts';
import { below } from './faults.ts';
import { Fields } from './fields.tsx';
import { helpOf } from './help.tsx';
import styles from './schema-form.module.css';
import { blankOf, isObject, type JsonSchema, valueWords, widgetOf, withKey } from './shape.ts';

/** Some of a few. */
export function ChoicesField({ options, ...place }: FormPlace & { readonly options: readonly string[] }) {
  const { label, schema, value, path, onChange } = place;
  const chosen = new Set((value ?? schema.default ?? []) as readonly string[]);
  const fault = useFault(path);
  return (
    <fieldset className={styles['choices']}>
      <legend>{label}</legend>
      {schema.description !== undefined && <p className={styles['hint']}>{helpOf(schema.description)}</p>}
      {options.map((option) => (
        <label key={option}>
          <input
            type="checkbox"
            checked={chosen.has(option)}
            onChange={() => onChange(options.filter((each) => (each === option) !== chosen.has(each)))}
          />
          {valueWords(schema.items ?? {}, option)}
        </label>
      ))}
      {fault !== undefined && <p className={styles['fault']}>{fault}</p>}
    </fieldset>
  );
}

/** Values one below the other, in an order that can be changed. */
export function ListField({ items, ...place }: FormPlace & { readonly items: JsonSchema }) {
  const { label, schema, value, path, isRequired, onChange } = place;
  const fault = useFault(path);
  const all: readonly unknown[] = Array.isArray(value) ? value : [];
  const preset = value === undefined && Array.isArray(schema.default) ? schema.default : [];
  const write = (next: readonly unknown[]): void =>
    onChange(next.length === 0 && !isRequired ? undefined : next);
  const isFull = schema.maxItems !== undefined && all.length >= schema.maxItems;
  const one = oneOfMany(label);
  return (
    <fieldset className={styles['list']}>
      <legend>
        {label}
        {all.length > 0 && <span className="quiet num"> {all.length}</span>}
      </legend>
      {schema.description !== undefined && <p className={styles['hint']}>{helpOf(schema.description)}</p>}
      {preset.length > 0 && <p className={styles['hint']}>By default {preset.map(String).join(', ')}</p>}
      {fault !== undefined && <p className={styles['fault']}>{fault}</p>}
      {all.length > 0 && (
        <ol>
          {all.map((each, at) => (
            <Item
              // An entry is its place: two may be the same.
              key={at}
              {...{ items, at, all, path, write }}
              value={each}
              name={`${one} ${at + 1}`}
            />
          ))}
        </ol>
      )}
      {!isFull && (
        <Button size="small" look="quiet" onClick={() => write([...all, blankOf(items)])}>
          <Plus size={14} aria-hidden />
          Add {one}
        </Button>
      )}
    </fieldset>
  );
}

/** `Add headers` holds `header`: what one of them is called. */
const oneOfMany = (label: string): string =>
  label
    .replace(/^(Add|Remove|Whitelist|Allowed|Exposed) /, '')
    .replace(/, as (pattern)s$/, ' $1')
    .replace(/(address|class)es$/i, '$1')
    .replace(/ies$/, 'y')
    .replace(/([^s])s( pattern)?$/, '$1$2')
    .toLowerCase();

function Item({
  items,
  at,
  all,
  path,
  value,
  name,
  write,
}: {
  readonly items: JsonSchema;
  readonly at: number;
  readonly all: readonly unknown[];
  readonly path: string;
  readonly value: unknown;
  readonly name: string;
  readonly write: (all: readonly unknown[]) => void;
}) {
  const { Field } = use(FormContext);
  const place = below(path, at);
  const set = (next: unknown): void => write(all.with(at, next === undefined ? blankOf(items) : next));
  const swap = (other: number): void => write(all.with(at, all[other]).with(other, value));
  const widget = widgetOf(items);
  return (
    <li className={styles['item']}>
      {widget.kind === 'group' && isObject(value) ? (
        <div className={styles['row']}>
          <Fields schema={items} value={value} path={place} onChange={set} />
        </div>
      ) : (
        <Field schema={items} label={name} path={place} value={value} isRequired onChange={set} />
      )}
      <div className={styles['tools']}>
        <IconButton label={`Move ${name} up`} disabled={at === 0} onClick={() => swap(at - 1)}>
          <ArrowUp size={14} aria-hidden />
        </IconButton>
        <IconButton label={`Move ${name} down`} disabled={at === all.length - 1} onClick={() => swap(at + 1)}>
          <ArrowDown size={14} aria-hidden />
        </IconButton>
        <IconButton label={`Remove ${name}`} onClick={() => write(all.toSpliced(at, 1))}>
          <X size={14} aria-hidden />
        </IconButton>
      </div>
    </li>
  );
}

/** Values by names of somebody's choice. */
export function MapField({ each, ...place }: FormPlace & { readonly each: JsonSchema }) {
  const { label, schema, path, value, isRequired, onChange } = place;
  const { Field } = use(FormContext);
  const fault = useFault(path);
  const [name, setName] = useState('');
  const object = isObject(value) ? value : {};
  const write = (key: string, next: unknown): void => {
    const after = withKey(object, key, next);
    onChange(Object.keys(after).length === 0 && !isRequired ? undefined : after);
  };
  return (
    <fieldset className={styles['list']}>
      <legend>{label}</legend>
      {schema.description !== undefined && <p className={styles['hint']}>{helpOf(schema.description)}</p>}
      {fault !== undefined && <p className={styles['fault']}>{fault}</p>}
      {Object.entries(object).map(([key, one]) => (
        <div key={key} className={styles['item']}>
          <Field
            schema={each}
            label={key}
            path={below(path, key)}
            value={one}
            isRequired
            onChange={(next) => write(key, next)}
          />
          <div className={styles['tools']}>
            <IconButton label={`Remove ${key}`} onClick={() => write(key, undefined)}>
              <X size={14} aria-hidden />
            </IconButton>
          </div>
        </div>
      ))}
      <div className={styles['item']}>
        <TextField
          label={`New name in ${label.toLowerCase()}`}
          value={name}
          onChange={({ target: { value: text } }) => setName(text)}
          error={Object.hasOwn(object, name) ? 'is there already' : undefined}
        />
        <Button
          size="small"
          disabled={name === '' || Object.hasOwn(object, name)}
          onClick={() => {
            write(name, blankOf(each));
            setName('');
          }}
        >
          Add
        </Button>
      </div>
    </fieldset>
  );
}
