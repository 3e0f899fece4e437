import { use } from 'react';
import { FormContext, type FormPlace } from './context.ts';
import { below } from './faults.ts';
import { JsonField } from './leaves.tsx';
import { type FieldOf, type JsonObject, labelOf, othersOf, widgetOf, withKey } from './shape.ts';

/** The fields of an object, in the order of its schema; what it holds beside them is shown as JSON, so that nothing is lost. */
export function Fields({
  schema,
  value,
  path,
  onChange,
}: Pick<FormPlace, 'schema' | 'path'> & {
  readonly value: JsonObject;
  readonly onChange: (value: JsonObject) => void;
}) {
  const { Field } = use(FormContext);
  const widget = widgetOf(schema);
  const all = widget.kind === 'group' ? widget.fields : [];
  // What is off asks for nothing else; what it holds stays.
  const fields = isOff(all[0], value) ? all.slice(0, 1) : all;
  const others = othersOf(schema, value);
  if (fields.length === 0 && others.length === 0) return <p className="second">There is nothing to set.</p>;
  return (
    <>
      {fields.map((field) => (
        <Field
          key={field.key}
          schema={field.schema}
          isRequired={field.isRequired}
          label={labelOf(field.schema, field.key)}
          path={below(path, field.key)}
          value={value[field.key]}
          onChange={(next) => onChange(withKey(value, field.key, next))}
        />
      ))}
      {others.map((key) => (
        <JsonField
          key={key}
          label={key}
          schema={{}}
          isRequired={false}
          path={below(path, key)}
          value={value[key]}
          onChange={(next) => onChange(withKey(value, key, next))}
        />
      ))}
    </>
  );
}

/** Whether a section begins with a switch that is off. */
const isOff = (first: FieldOf | undefined, value: JsonObject): boolean =>
  first?.key === 'enabled' &&
  first.schema.type === 'boolean' &&
  (value['enabled'] ?? first.schema.default) === false;
