import { queryOptions, useQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { api, answerOf, organization } from '../../api/client.ts';
import { IconButton } from '../../kit/button.tsx';
import { SwitchField, TextField } from '../../kit/field.tsx';
import { Place } from '../../kit/place.tsx';
import { SchemaForm } from '../../kit/schema-form/schema-form.tsx';
import { isObject, type JsonObject, type JsonSchema, withKey } from '../../kit/schema-form/shape.ts';
import { ProblemBox } from '../../kit/told.tsx';
import { WordsField } from '../../kit/words-field.tsx';
import { useKnownTenants } from '../words.ts';
import { faultsAt } from './design/flows.ts';
import { faultsOf } from './design/use-design.ts';
import { useDrawn } from './draft/drafted.tsx';
import { faultAt, textOf, wordsOf } from './draft/sections.ts';
import styles from './inside.module.css';
import { serviceForm } from './questions.ts';

const staleTime = 600_000;
const path = { orgId: organization } as const;
const endpoints = '/management/v2/organizations/{orgId}/plugins/endpoints/{pluginId}';

const endpointForm = (pluginId: string) =>
  queryOptions({
    queryKey: ['endpoints', pluginId, 'form'],
    queryFn: () => answerOf(api.GET(`${endpoints}/schema`, { params: { path: { ...path, pluginId } } })),
    staleTime,
  });

const sharedForm = queryOptions({
  queryKey: ['endpoints', 'http-proxy', 'shared-form'],
  queryFn: () =>
    answerOf(
      api.GET(`${endpoints}/shared-configuration-schema`, {
        params: { path: { ...path, pluginId: 'http-proxy' } },
      }),
    ),
  staleTime,
});

/** One backend of a group. */
export function Endpoint({
  endpoint,
  at,
  isWeighted,
  isAlone,
  onChange,
  onRemove,
}: {
  readonly endpoint: JsonObject;
  readonly at: string;
  /** Whether the group goes by weights. */
  readonly isWeighted: boolean;
  readonly isAlone: boolean;
  readonly onChange: (endpoint: JsonObject) => void;
  readonly onRemove: () => void;
}) {
  const { designing, isReadOnly } = useDrawn();
  const type = textOf(endpoint['type']);
  const { data, error } = useQuery(endpointForm(type));
  const name = textOf(endpoint['name']);
  const set = (key: string, value: unknown): void => onChange(withKey(endpoint, key, value));
  const schema = data ?? (error === null ? undefined : { type: 'object', properties: {} });
  const inherits = endpoint['inheritConfiguration'] !== false;
  return (
    <section className={styles['endpoint']} aria-label={`Endpoint ${name}`}>
      <header>
        <h3>{name}</h3>
        {!isReadOnly && !isAlone && (
          <IconButton label={`Remove endpoint ${name}`} onClick={onRemove}>
            <X size={14} aria-hidden />
          </IconButton>
        )}
      </header>
      {error !== null && <ProblemBox error={error} />}
      {schema !== undefined && (
        <SchemaForm
          schema={schema as JsonSchema}
          value={isObject(endpoint['configuration']) ? endpoint['configuration'] : {}}
          faults={faultsAt(faultsOf(designing, 'api'), `${at}.configuration`)}
          at={`${at}.configuration`}
          isReadOnly={isReadOnly}
          onChange={(next) => set('configuration', next)}
        />
      )}
      <Traits {...{ endpoint, at, isWeighted }} onChange={set} />
      {!inherits && (
        <SharedSettings
          title="How it is reached, in place of what the group says"
          value={endpoint['sharedConfigurationOverride']}
          at={`${at}.sharedConfigurationOverride`}
          onChange={(next) => set('sharedConfigurationOverride', next)}
        />
      )}
    </section>
  );
}

/** What an endpoint is among those of its group. */
function Traits({
  endpoint,
  at,
  isWeighted,
  onChange,
}: {
  readonly endpoint: JsonObject;
  readonly at: string;
  readonly isWeighted: boolean;
  readonly onChange: (key: string, value: unknown) => void;
}) {
  const { designing, isReadOnly } = useDrawn();
  const known = useKnownTenants();
  const weight = endpoint['weight'];
  return (
    <fieldset disabled={isReadOnly} className={styles['rows']}>
      <div className={styles['row']}>
        <Place at={`${at}.name`}>
          <TextField
            label="Name of the endpoint"
            value={textOf(endpoint['name'])}
            error={faultAt(designing, `${at}.name`)}
            onChange={({ target: { value } }) => onChange('name', value)}
          />
        </Place>
        <Place at={`${at}.weight`}>
          <TextField
            label="Weight"
            hint={isWeighted ? 'Twice the weight, twice the calls' : 'Counts when the group goes by weight'}
            inputMode="numeric"
            isOptional
            placeholder="1"
            value={typeof weight === 'number' ? String(weight) : textOf(weight)}
            error={faultAt(designing, `${at}.weight`)}
            onChange={({ target: { value } }) => onChange('weight', numberOf(value))}
          />
        </Place>
      </div>
      {(known.length > 0 || wordsOf(endpoint['tenants']).length > 0) && (
        <Place at={`${at}.tenants`}>
          <WordsField
            label="Tenants"
            others="Other tenants"
            hint="Only gateways that stand in one of these call it; without tenants all do."
            known={known}
            words={wordsOf(endpoint['tenants'])}
            error={faultAt(designing, `${at}.tenants`)}
            isDisabled={isReadOnly}
            onChange={(tenants) => onChange('tenants', tenants.length === 0 ? undefined : tenants)}
          />
        </Place>
      )}
      <SwitchField
        label="Backup"
        hint="Called only while no other endpoint of the group is up"
        isOn={endpoint['secondary'] === true}
        onChange={(isOn) => onChange('secondary', isOn || undefined)}
      />
      <SwitchField
        label="Reached as the group says"
        isOn={endpoint['inheritConfiguration'] !== false}
        onChange={(isOn) => onChange('inheritConfiguration', isOn ? undefined : false)}
      />
    </fieldset>
  );
}

/** What is no number stays as it was typed, and is told of. */
function numberOf(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  return /^\d{1,9}$/.test(trimmed) ? Number(trimmed) : trimmed;
}

/** Time limits, TLS and so on, folded until somebody wants them. */
export function SharedSettings({
  title,
  value,
  at,
  onChange,
}: {
  readonly title: string;
  readonly value: unknown;
  readonly at: string;
  readonly onChange: (value: JsonObject | undefined) => void;
}) {
  const { designing, isReadOnly } = useDrawn();
  const { data, error } = useQuery(sharedForm);
  return (
    <details className={styles['fold']}>
      <summary>{title}</summary>
      {error !== null && <ProblemBox error={error} />}
      {data !== undefined && (
        <SchemaForm
          schema={data as JsonSchema}
          value={isObject(value) ? value : {}}
          faults={faultsAt(faultsOf(designing, 'api'), at)}
          at={at}
          isReadOnly={isReadOnly}
          onChange={(next) => onChange(Object.keys(next).length === 0 ? undefined : next)}
        />
      )}
    </details>
  );
}

/** Whether endpoints of a group are asked by a schedule if they are up. */
export function HealthCheck({
  value,
  at,
  onChange,
}: {
  readonly value: JsonObject;
  readonly at: string;
  readonly onChange: (services: JsonObject | undefined) => void;
}) {
  const { designing, isReadOnly } = useDrawn();
  const { data } = useQuery(serviceForm('http-health-check'));
  const check = isObject(value['healthCheck']) ? value['healthCheck'] : undefined;
  const isOn = check !== undefined && check['enabled'] !== false;
  const write = (next: JsonObject | undefined): void => {
    const services = withKey(value, 'healthCheck', next);
    onChange(Object.keys(services).length === 0 ? undefined : services);
  };
  return (
    <details className={styles['fold']} open={isOn || undefined}>
      <summary>Health check: {isOn ? 'on' : 'off'}</summary>
      <div className={styles['rows']}>
        <fieldset disabled={isReadOnly}>
          <SwitchField
            label="Ask its endpoints by a schedule"
            hint="One that does not answer as it should gets no calls until it does"
            isOn={isOn}
            onChange={(next) =>
              write(next ? { ...blankCheck, ...check, enabled: true } : check && { ...check, enabled: false })
            }
          />
        </fieldset>
        {isOn && data !== undefined && (
          <SchemaForm
            schema={data as JsonSchema}
            value={isObject(check['configuration']) ? check['configuration'] : {}}
            faults={faultsAt(faultsOf(designing, 'api'), `${at}.healthCheck.configuration`)}
            at={`${at}.healthCheck.configuration`}
            isReadOnly={isReadOnly}
            onChange={(configuration) => write({ ...check, configuration })}
          />
        )}
      </div>
    </details>
  );
}

const blankCheck: JsonObject = {
  type: 'http-health-check',
  configuration: { schedule: '*/30 * * * * *', method: 'GET', target: '/' },
};
