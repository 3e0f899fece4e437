import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { Button } from '../../kit/button.tsx';
import { Code } from '../../kit/code.tsx';
import { AreaField, SelectField, SwitchField } from '../../kit/field.tsx';
import { Columns, Panel } from '../../kit/page.tsx';
import { SchemaForm } from '../../kit/schema-form/schema-form.tsx';
import { blankSettings, isObject, type JsonObject, type JsonSchema } from '../../kit/schema-form/shape.ts';
import { ProblemBox } from '../../kit/told.tsx';
import styles from './kit.module.css';

const params = { path: { orgId: organization } };
const base = '/management/v2/organizations/{orgId}/plugins';

/** What a group says for all of its endpoints has a form of its own. */
const shared = ', shared';

/** Ids of everything that has a form, each behind its kind: `policies/rate-limit`. */
const forms = queryOptions({
  queryKey: ['kit', 'forms'],
  queryFn: async () => {
    const of = async (kind: string, listed: Promise<readonly { readonly id: string }[]>) =>
      (await listed).map(({ id }) => `${kind}/${id}`);
    return (
      await Promise.all([
        of('policies', answerOf(api.GET(`${base}/policies`, { params }))),
        of('resources', answerOf(api.GET(`${base}/resources`, { params }))),
        of('endpoints', answerOf(api.GET(`${base}/endpoints`, { params }))).then((ids) =>
          ids.flatMap((id) => [id, `${id}${shared}`]),
        ),
        of('entrypoints', answerOf(api.GET(`${base}/entrypoints`, { params }))),
        of('api-services', answerOf(api.GET(`${base}/api-services`, { params }))),
      ])
    ).flat();
  },
});

const formOf = (form: string) =>
  queryOptions({
    queryKey: ['kit', 'forms', form],
    queryFn: () => {
      const [kind, pluginId = ''] = form.replace(shared, '').split('/');
      const of = { params: { path: { ...params.path, pluginId } } };
      if (kind === 'resources') return answerOf(api.GET(`${base}/resources/{pluginId}/schema`, of));
      if (form.endsWith(shared))
        return answerOf(api.GET(`${base}/endpoints/{pluginId}/shared-configuration-schema`, of));
      if (kind === 'entrypoints') return answerOf(api.GET(`${base}/entrypoints/{pluginId}/schema`, of));
      if (kind === 'endpoints') return answerOf(api.GET(`${base}/endpoints/{pluginId}/schema`, of));
      if (kind === 'api-services') return answerOf(api.GET(`${base}/api-services/{pluginId}/schema`, of));
      return answerOf(api.GET(`${base}/policies/{pluginId}/schema`, of));
    },
  });

/** The form of any plugin, and what it writes. */
export function Forms() {
  const { data = [], error } = useQuery(forms);
  const [form, setForm] = useState('policies/rate-limit');
  const { data: schema } = useQuery(formOf(form));
  return (
    <Panel title="Forms">
      {error !== null && <ProblemBox error={error} />}
      <div className={styles['fields']}>
        <SelectField
          label="Form of"
          value={form}
          onChange={({ target: { value } }) => setForm(value)}
          options={data.map((id) => [id, id])}
        />
        {schema !== undefined && <Form key={form} schema={schema as JsonSchema} />}
      </div>
    </Panel>
  );
}

function Form({ schema }: { readonly schema: JsonSchema }) {
  const [value, setValue] = useState<JsonObject>(() => blankSettings(schema));
  const [isReadOnly, setReadOnly] = useState(false);
  const [typed, setTyped] = useState('');
  // A form that begins anew keeps nothing of the one before.
  const [round, setRound] = useState(0);
  const begin = (): void => {
    const parsed: unknown = JSON.parse(typed);
    if (!isObject(parsed)) return;
    setValue(parsed);
    setRound(round + 1);
  };
  return (
    <Columns>
      <SchemaForm key={round} schema={schema} value={value} onChange={setValue} isReadOnly={isReadOnly} />
      <div className={styles['fields']}>
        <Code label="What it writes" text={JSON.stringify(value, null, 2)} />
        <SwitchField label="Read only" isOn={isReadOnly} onChange={setReadOnly} />
        <AreaField
          label="Begin with"
          rows={4}
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
        />
        <Button onClick={begin} disabled={typed === ''}>
          Begin
        </Button>
      </div>
    </Columns>
  );
}
