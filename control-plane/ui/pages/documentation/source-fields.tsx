import { useQuery } from '@tanstack/react-query';
import { SelectField } from '../../kit/field.tsx';
import { SchemaForm } from '../../kit/schema-form/schema-form.tsx';
import type { JsonObject, JsonSchema } from '../../kit/schema-form/shape.ts';
import { ProblemBox } from '../../kit/told.tsx';
import { type DocSource, fetcherForm, fetchersOf } from './questions.ts';

/** What is wrong with it, as the API says it of a page. */
interface Fault {
  readonly location: string;
  readonly message: string;
}

const place = 'source.configuration.';

/** Where a page comes from: written here, or fetched by one of the fetchers. */
export function SourceFields({
  env,
  source,
  isReadOnly = false,
  faults = [],
  onChange,
}: {
  readonly env: string;
  readonly source: DocSource | undefined;
  readonly isReadOnly?: boolean;
  readonly faults?: readonly Fault[];
  readonly onChange: (source: DocSource | undefined) => void;
}) {
  const { data = [] } = useQuery(fetchersOf(env));
  const types = data.map(({ id, name, description }) => [id, `${name}: ${description}`] as const);
  return (
    <>
      <SelectField
        label="Comes from"
        disabled={isReadOnly}
        value={source?.type ?? ''}
        options={[['', 'Nowhere: it is written here'], ...types]}
        onChange={({ target: { value } }) =>
          onChange(value === '' ? undefined : ({ type: value, configuration: {} } as unknown as DocSource))
        }
      />
      {source !== undefined && <Form key={source.type} {...{ env, source, isReadOnly, faults, onChange }} />}
    </>
  );
}

function Form({
  env,
  source,
  isReadOnly,
  faults,
  onChange,
}: {
  readonly env: string;
  readonly source: DocSource;
  readonly isReadOnly: boolean;
  readonly faults: readonly Fault[];
  readonly onChange: (source: DocSource) => void;
}) {
  const { data, error } = useQuery(fetcherForm(env, source.type));
  if (error !== null) return <ProblemBox error={error} />;
  if (data === undefined) return null;
  return (
    <SchemaForm
      schema={data as JsonSchema}
      value={source.configuration as JsonObject}
      isReadOnly={isReadOnly}
      faults={faults.flatMap(({ location, message }) =>
        location.startsWith(place) ? [{ path: location.slice(place.length), message }] : [],
      )}
      onChange={(configuration) => onChange({ type: source.type, configuration } as unknown as DocSource)}
    />
  );
}
