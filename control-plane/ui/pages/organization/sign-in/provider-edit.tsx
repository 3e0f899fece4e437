import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Schemas } from '../../../api/client.ts';
import { useChange } from '../../../api/change.ts';
import { Problem } from '../../../api/problem.ts';
import { environments } from '../../../api/session.ts';
import { Button } from '../../../kit/button.tsx';
import { Panel, SaveBar } from '../../../kit/page.tsx';
import { SchemaForm } from '../../../kit/schema-form/schema-form.tsx';
import type { JsonObject, JsonSchema } from '../../../kit/schema-form/shape.ts';
import { ProblemBox } from '../../../kit/told.tsx';
import forms from '../../apis/inside.module.css';
import { allGroups, rolesOf, spoken } from '../questions.ts';
import { connectionForm, mappingForm, personForm } from './provider-forms.ts';
import { type Provider, saveProvider } from './questions.ts';

/** What only the API says of a provider; the rest is what somebody writes. */
const own = new Set(['id', 'organization', 'type', 'redirectUri', 'created_at', 'updated_at']);

const pick = (value: JsonObject, { properties = {} }: JsonSchema): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([key]) => Object.hasOwn(properties, key)));

/** Three forms of one provider, which are saved together. */
export function ProviderForms({ of, isReadOnly }: { readonly of: Provider; readonly isReadOnly: boolean }) {
  const stored = useMemo(
    () => Object.fromEntries(Object.entries(of).filter(([key]) => !own.has(key))) as JsonObject,
    [of],
  );
  const [written, setWritten] = useState<JsonObject>();
  const value = written ?? stored;
  const saving = useChange({
    // The API has the last word on what a form wrote.
    change: () => saveProvider(of.id, value as Schemas['UpdateIdentityProvider']),
    touches: [['providers'], ['identity-providers']],
  });
  const faults =
    saving.error === null
      ? []
      : Problem.of(saving.error).details.map(({ location, message }) => ({ path: location, message }));
  const schemas = useSchemas(of.type);
  return (
    <div className={forms['form']}>
      {schemas.map(([title, schema]) => (
        <Panel key={title} title={title}>
          <SchemaForm
            schema={schema}
            value={pick(value, schema)}
            faults={faults}
            isReadOnly={isReadOnly}
            onChange={(next) => {
              saving.reset();
              const others = Object.entries(value).filter(
                ([key]) => !Object.hasOwn(schema.properties ?? {}, key),
              );
              setWritten({ ...Object.fromEntries(others), ...next });
            }}
          />
        </Panel>
      ))}
      {saving.error !== null && <ProblemBox error={saving.error} />}
      {written !== undefined && (
        <SaveBar>
          <Button onClick={() => setWritten(undefined)}>Discard</Button>
          <Button look="primary" disabled={saving.isPending} onClick={() => saving.mutate()}>
            Save identity provider
          </Button>
        </SaveBar>
      )}
    </div>
  );
}

/** The forms, with what a mapping can give here and now. */
function useSchemas(type: Provider['type']): readonly (readonly [title: string, schema: JsonSchema])[] {
  const { data: groups } = useQuery(allGroups);
  const { data: ofOrganization } = useQuery(rolesOf('ORGANIZATION'));
  const { data: ofEnvironment } = useQuery(rolesOf('ENVIRONMENT'));
  const { data: known } = useQuery(environments);
  return useMemo(
    () => [
      ['Connection', connectionForm(type)],
      ['Who somebody is', personForm],
      [
        'What somebody gets',
        mappingForm({
          groups: (groups ?? []).map(({ id, name, environmentName }) => ({
            id,
            name: `${name} (${environmentName})`,
          })),
          organizationRoles: (ofOrganization ?? []).map(({ name }) => ({ id: name, name: spoken(name) })),
          environmentRoles: (ofEnvironment ?? []).map(({ name }) => ({ id: name, name: spoken(name) })),
          environments: known?.data ?? [],
        }),
      ],
    ],
    [type, groups, ofOrganization, ofEnvironment, known],
  );
}
