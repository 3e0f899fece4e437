import { use, useMemo } from 'react';
import { type FormFault, faultsOf } from './faults.ts';
import { FormContext, type FormPlace, useFault } from './context.ts';
import { Fields } from './fields.tsx';
import { helpOf } from './help.tsx';
import { ChoiceField, JsonField, NumberField, SecretField, TextLikeField, ToggleField } from './leaves.tsx';
import { ChoicesField, ListField, MapField } from './lists.tsx';
import styles from './schema-form.module.css';
import {
  blankOf,
  branchOf,
  canShow,
  isObject,
  type JsonObject,
  type JsonSchema,
  type Widget,
  widgetOf,
  wordsOf,
} from './shape.ts';
import { SelectField } from '../field.tsx';

/**
 * A form out of a JSON Schema. What is written is what somebody set: defaults are shown and not written, and what the form has no field for
 * stays as it is.
 */
export function SchemaForm({
  schema,
  value,
  onChange,
  faults = noFaults,
  isReadOnly = false,
  at = '',
}: {
  readonly schema: JsonSchema;
  readonly value: JsonObject;
  readonly onChange: (value: JsonObject) => void;
  /** What somebody else found wrong, by place below this value. */
  readonly faults?: readonly FormFault[];
  readonly isReadOnly?: boolean;
  /** Where this value stands in what it is a part of, as faults name it. */
  readonly at?: string;
}) {
  const told = useMemo(
    () => ({
      faults: [...faultsOf(schema, value), ...faults],
      prefix: at === '' ? '' : `${at}.`,
      Field: AnyField,
    }),
    [schema, value, faults, at],
  );
  return (
    <FormContext value={told}>
      <fieldset className={styles['form']} disabled={isReadOnly} aria-label="Form">
        <Group schema={schema} value={value} path="" onChange={onChange} />
      </fieldset>
    </FormContext>
  );
}

const noFaults: readonly FormFault[] = [];

const Group = (place: Parameters<typeof Fields>[0]) => (
  <div className={styles['fields']}>
    <Fields {...place} />
  </div>
);

/** Any value, by the widget that its schema asks for; by JSON when that cannot show it. */
function AnyField(place: FormPlace) {
  const widget = widgetOf(place.schema, lastKeyOf(place.path));
  const { prefix } = use(FormContext);
  return (
    <div className={styles['place']} data-place={`${prefix}${place.path}`}>
      {canShow(widget, place.value) ? <Shown widget={widget} place={place} /> : <JsonField {...place} />}
    </div>
  );
}

const lastKeyOf = (path: string): string => path.replace(/^.*\./, '').replace(/\[\d+\]$/, '');

function Shown({ widget, place }: { readonly widget: Widget; readonly place: FormPlace }) {
  switch (widget.kind) {
    case 'text':
      return widget.look === 'secret' ? (
        <SecretField {...place} isExpression={widget.isExpression} />
      ) : (
        <TextLikeField {...place} widget={widget} />
      );
    case 'number':
      return <NumberField {...place} isWhole={widget.isWhole} />;
    case 'switch':
      return <ToggleField {...place} />;
    case 'choice':
      return <ChoiceField {...place} options={widget.options} />;
    case 'choices':
      return <ChoicesField {...place} options={widget.options} />;
    case 'list':
      return <ListField {...place} items={widget.items} />;
    case 'map':
      return <MapField {...place} each={widget.each} />;
    case 'group':
      return <GroupField {...place} />;
    case 'union':
      return <UnionField {...place} branches={widget.branches} />;
    case 'json':
      return <JsonField {...place} />;
  }
}

/** Fields below a name; what is not required and has nothing set is folded. */
function GroupField({ schema, label, path, value, isRequired, onChange }: FormPlace) {
  const fault = useFault(path);
  const object = isObject(value) ? value : {};
  const inside = (
    <>
      {schema.description !== undefined && <p className={styles['hint']}>{helpOf(schema.description)}</p>}
      {fault !== undefined && <p className={styles['fault']}>{fault}</p>}
      <Group
        schema={schema}
        value={object}
        path={path}
        // Without anything in it, it is as if it were not there.
        onChange={(next) => onChange(Object.keys(next).length === 0 && !isRequired ? undefined : next)}
      />
    </>
  );
  if (isRequired)
    return (
      <fieldset className={styles['group']}>
        <legend>{label}</legend>
        {inside}
      </fieldset>
    );
  return (
    <details className={styles['group']} open={Object.keys(object).length > 0 ? true : undefined}>
      <summary>{label}</summary>
      {inside}
    </details>
  );
}

function UnionField({
  branches,
  schema: { description },
  label,
  path,
  value,
  isRequired,
  onChange,
}: FormPlace & { readonly branches: Extract<Widget, { kind: 'union' }>['branches'] }) {
  const chosen = value === undefined ? undefined : branchOf(branches, value);
  const fault = useFault(path);
  return (
    <fieldset className={styles['group']}>
      <legend className="hidden">{label}</legend>
      <SelectField
        label={label}
        error={fault}
        hint={helpOf(description)}
        isOptional={!isRequired}
        value={chosen?.name ?? ''}
        onChange={({ target: { value: name } }) => {
          const next = branches.find((branch) => branch.name === name);
          onChange(next && blankOf(next.schema));
        }}
        options={[
          ...(isRequired && chosen !== undefined ? [] : [['', 'not set'] as const]),
          ...branches.map(({ name }) => [name, wordsOf(name)] as const),
        ]}
      />
      {chosen !== undefined && <BranchFields {...{ schema: chosen.schema, path, value, onChange }} />}
    </fieldset>
  );
}

function BranchFields({
  schema,
  path,
  value,
  onChange,
}: Pick<FormPlace, 'schema' | 'path' | 'value' | 'onChange'>) {
  const widget = widgetOf(schema);
  if (widget.kind === 'group')
    return widget.fields.length === 0 ? null : (
      <Group schema={schema} value={isObject(value) ? value : {}} path={path} onChange={onChange} />
    );
  return <AnyField label="Value" isRequired {...{ schema, path, value, onChange }} />;
}
