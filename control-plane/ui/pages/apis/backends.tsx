import { getRouteApi } from '@tanstack/react-router';
import { Plus, X } from 'lucide-react';
import { failoverForm } from '../../api/forms.generated.ts';
import { Button, IconButton } from '../../kit/button.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { Body, Panel } from '../../kit/page.tsx';
import { Place, useFocusOn } from '../../kit/place.tsx';
import { SchemaForm } from '../../kit/schema-form/schema-form.tsx';
import { isObject, type JsonObject, withKey, wordsOf } from '../../kit/schema-form/shape.ts';
import { Empty } from '../../kit/told.tsx';
import { faultsAt } from './design/flows.ts';
import { faultsOf } from './design/use-design.ts';
import { useDrawn } from './draft/drafted.tsx';
import { faultAt, objectsOf, textOf, writeSection } from './draft/sections.ts';
import { Endpoint, HealthCheck, SharedSettings } from './endpoint.tsx';
import styles from './inside.module.css';

const route = getRouteApi('/$env/apis/$api/draft/backends');

const balancings = ['ROUND_ROBIN', 'RANDOM', 'WEIGHTED_ROUND_ROBIN', 'WEIGHTED_RANDOM'] as const;

/** Which backends answer, how they are reached, and what happens when one fails. */
export function ApiBackends() {
  const { designing, isReadOnly } = useDrawn();
  const { at } = route.useSearch();
  useFocusOn(at);
  const { api } = designing.design;
  const groups = objectsOf(api['endpointGroups']);
  if (groups === undefined)
    return (
      <Empty title="The backends cannot be drawn">
        The draft holds something else in place of a list of groups. Discard it, or write it anew by the API.
      </Empty>
    );
  const write = (next: readonly JsonObject[], subject: string): void =>
    writeSection(designing, { endpointGroups: next }, subject);
  return (
    <Body>
      <div className={styles['form']}>
        {groups.map((group, index) => (
          <Group
            // A group is its place.
            key={index}
            {...{ group, index }}
            onChange={(next, subject) =>
              write(groups.with(index, next), `endpointGroups[${index}].${subject}`)
            }
            onRemove={
              groups.length === 1 || isReadOnly
                ? undefined
                : () => write(groups.toSpliced(index, 1), 'endpointGroups')
            }
          />
        ))}
        {!isReadOnly && (
          <div>
            <Button onClick={() => write([...groups, newGroup(groups)], 'endpointGroups')}>
              <Plus size={14} aria-hidden />
              Add a group
            </Button>
          </div>
        )}
        <Panel title="Failover">
          <SchemaForm
            schema={failoverForm}
            value={isObject(api['failover']) ? api['failover'] : {}}
            faults={faultsAt(faultsOf(designing, 'api'), 'failover')}
            at="failover"
            isReadOnly={isReadOnly}
            onChange={(next) =>
              writeSection(
                designing,
                { failover: Object.keys(next).length === 0 ? undefined : next },
                'failover',
              )
            }
          />
        </Panel>
      </div>
    </Body>
  );
}

/** A name that none of them has yet: `group 2`. */
function nameBeside(named: readonly JsonObject[], word: string): string {
  const taken = new Set(named.map(({ name }) => name));
  let number = named.length + 1;
  while (taken.has(`${word} ${number}`)) number += 1;
  return `${word} ${number}`;
}

const newGroup = (groups: readonly JsonObject[]): JsonObject => ({
  name: nameBeside(groups, 'group'),
  type: 'http-proxy',
  endpoints: [newEndpoint([])],
});

const newEndpoint = (endpoints: readonly JsonObject[]): JsonObject => ({
  name: nameBeside(endpoints, 'endpoint'),
  type: 'http-proxy',
  configuration: { target: '' },
});

function Group({
  group,
  index,
  onChange,
  onRemove,
}: {
  readonly group: JsonObject;
  readonly index: number;
  readonly onChange: (group: JsonObject, subject: string) => void;
  readonly onRemove: (() => void) | undefined;
}) {
  const at = `endpointGroups[${index}]`;
  const name = textOf(group['name']);
  const set = (key: string, value: unknown): void => onChange(withKey(group, key, value), key);
  return (
    <Panel
      title={`Group ${name}`}
      end={
        onRemove && (
          <IconButton label={`Remove group ${name}`} onClick={onRemove}>
            <X size={14} aria-hidden />
          </IconButton>
        )
      }
    >
      <div className={styles['rows']}>
        <Head {...{ group, at }} onChange={set} />
        <Endpoints {...{ group, at, onChange }} />
        <SharedSettings
          title="How its endpoints are reached: time limits, HTTP version, TLS, proxy, headers"
          value={group['sharedConfiguration']}
          at={`${at}.sharedConfiguration`}
          onChange={(next) => set('sharedConfiguration', next)}
        />
        <HealthCheck
          value={isObject(group['services']) ? group['services'] : {}}
          at={`${at}.services`}
          onChange={(next) => set('services', next)}
        />
      </div>
    </Panel>
  );
}

/** Its backends, one below the other. */
function Endpoints({
  group,
  at,
  onChange,
}: {
  readonly group: JsonObject;
  readonly at: string;
  readonly onChange: (group: JsonObject, subject: string) => void;
}) {
  const { isReadOnly } = useDrawn();
  const endpoints = objectsOf(group['endpoints']) ?? [];
  const balancer = isObject(group['loadBalancer']) ? textOf(group['loadBalancer']['type']) : '';
  const write = (next: readonly JsonObject[], subject = 'endpoints'): void =>
    onChange({ ...group, endpoints: next }, subject);
  return (
    <>
      {endpoints.map((endpoint, each) => (
        <Endpoint
          // An endpoint is its place.
          key={each}
          {...{ endpoint }}
          at={`${at}.endpoints[${each}]`}
          isWeighted={balancer.startsWith('WEIGHTED')}
          isAlone={endpoints.length === 1}
          onChange={(next) => write(endpoints.with(each, next), `endpoints[${each}]`)}
          onRemove={() => write(endpoints.toSpliced(each, 1))}
        />
      ))}
      {!isReadOnly && (
        <div>
          <Button size="small" look="quiet" onClick={() => write([...endpoints, newEndpoint(endpoints)])}>
            <Plus size={14} aria-hidden />
            Add an endpoint
          </Button>
        </div>
      )}
    </>
  );
}

/** Its name, and which of its endpoints takes the next call. */
function Head({
  group,
  at,
  onChange,
}: {
  readonly group: JsonObject;
  readonly at: string;
  readonly onChange: (key: string, value: unknown) => void;
}) {
  const { designing, isReadOnly } = useDrawn();
  const balancer = isObject(group['loadBalancer']) ? group['loadBalancer'] : {};
  return (
    <fieldset disabled={isReadOnly} className={styles['row']}>
      <Place at={`${at}.name`}>
        <TextField
          label="Name of the group"
          value={textOf(group['name'])}
          error={faultAt(designing, `${at}.name`)}
          onChange={({ target: { value } }) => onChange('name', value)}
        />
      </Place>
      <Place at={`${at}.loadBalancer.type`}>
        <SelectField
          label="Next call goes"
          value={textOf(balancer['type']) || 'ROUND_ROBIN'}
          error={faultAt(designing, `${at}.loadBalancer.type`)}
          onChange={({ target: { value } }) => onChange('loadBalancer', { ...balancer, type: value })}
          options={balancings.map((each) => [each, balancingWords.get(each) ?? wordsOf(each)] as const)}
        />
      </Place>
    </fieldset>
  );
}

const balancingWords: ReadonlyMap<string, string> = new Map([
  ['ROUND_ROBIN', 'to each endpoint in turn'],
  ['RANDOM', 'to any endpoint, by chance'],
  ['WEIGHTED_ROUND_ROBIN', 'in turn, by weight'],
  ['WEIGHTED_RANDOM', 'by chance, by weight'],
]);
