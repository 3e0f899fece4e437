import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { api, answerOf, organization } from '../../../api/client.ts';
import { Button, IconButton } from '../../../kit/button.tsx';
import { ToldDialog } from '../../../kit/dialog.tsx';
import { SwitchField, TextField } from '../../../kit/field.tsx';
import { Body, Panel } from '../../../kit/page.tsx';
import { Place, useFocusOn } from '../../../kit/place.tsx';
import { SchemaForm } from '../../../kit/schema-form/schema-form.tsx';
import { blankSettings, isObject, type JsonObject, type JsonSchema } from '../../../kit/schema-form/shape.ts';
import { Empty, ProblemBox } from '../../../kit/told.tsx';
import { faultsAt } from '../design/flows.ts';
import { PluginItem } from '../design/plugin-item.tsx';
import studio from '../design/studio.module.css';
import { faultsOf } from '../design/use-design.ts';
import { useDrawn } from '../draft/drafted.tsx';
import { faultAt, objectsOf, textOf, writeSection } from '../draft/sections.ts';
import forms from '../inside.module.css';
import styles from './inside.module.css';
import { namersOf } from './namers.ts';

const route = getRouteApi('/$env/apis/$api/draft/resources');

const path = '/management/v2/organizations/{orgId}/plugins/resources';
const staleTime = 600_000;

const kinds = queryOptions({
  queryKey: ['resources'],
  queryFn: () => answerOf(api.GET(path, { params: { path: { orgId: organization } } })),
  staleTime,
});

const formOf = (pluginId: string) =>
  queryOptions({
    queryKey: ['resources', pluginId, 'form'],
    queryFn: () =>
      answerOf(api.GET(`${path}/{pluginId}/schema`, { params: { path: { orgId: organization, pluginId } } })),
    staleTime,
  });

/** What plans and steps of an API use by name: caches, directories, authorization servers. */
export function ApiResources() {
  const { designing, isReadOnly } = useDrawn();
  const { at } = route.useSearch();
  const [isAdding, setAdding] = useState(false);
  useFocusOn(at);
  const resources = objectsOf(designing.design.api['resources']);
  if (resources === undefined)
    return (
      <Empty title="The resources cannot be drawn">
        The draft holds something else in place of a list of resources. Discard it, or write it anew by the
        API.
      </Empty>
    );
  const write = (next: readonly JsonObject[], subject: string): void =>
    writeSection(designing, { resources: next }, subject);
  const add = isReadOnly ? undefined : (
    <Button look={resources.length === 0 ? 'primary' : 'plain'} onClick={() => setAdding(true)}>
      <Plus size={14} aria-hidden />
      Add resource
    </Button>
  );
  return (
    <>
      {resources.length === 0 ? (
        <Empty title="No resources yet" action={add}>
          A resource is set up once and used by name: a cache by the policy that caches, an authorization
          server by an OAuth2 plan, a directory by basic authentication.
        </Empty>
      ) : (
        <Body>
          <div className={forms['form']}>
            {resources.map((resource, index) => (
              <Resource
                // A resource is its place.
                key={index}
                {...{ resource, index }}
                onChange={(next, subject) =>
                  write(resources.with(index, next), `resources[${index}].${subject}`)
                }
                onRemove={() => write(resources.toSpliced(index, 1), 'resources')}
              />
            ))}
            {add !== undefined && <div>{add}</div>}
          </div>
        </Body>
      )}
      {isAdding && (
        <AddResource
          {...{ resources }}
          onAdd={(resource) => write([...resources, resource], 'resources')}
          onClose={() => setAdding(false)}
        />
      )}
    </>
  );
}

function Resource({
  resource,
  index,
  onChange,
  onRemove,
}: {
  readonly resource: JsonObject;
  readonly index: number;
  readonly onChange: (resource: JsonObject, subject: string) => void;
  readonly onRemove: () => void;
}) {
  const { designing, loaded, isReadOnly } = useDrawn();
  const { data } = useQuery(kinds);
  const type = textOf(resource['type']);
  const name = textOf(resource['name']);
  const kind = data?.find(({ id }) => id === type);
  const at = `resources[${index}]`;
  const namers = namersOf(name, { design: designing.design, plans: loaded.plans });
  return (
    <Panel
      title={`Resource ${index + 1}: ${name}`}
      end={
        !isReadOnly && (
          <IconButton label={`Remove resource ${name}`} onClick={onRemove}>
            <X size={14} aria-hidden />
          </IconButton>
        )
      }
    >
      <div className={forms['rows']}>
        <Place at={`${at}.type`}>
          <p className={`${styles['head']} second`}>
            {kind !== undefined && <img src={kind.icon} alt="" width="16" height="16" />}
            <span className={styles['grow']}>{kind?.name ?? type}</span>
            <span className="quiet">
              {namers === 0
                ? 'Nothing names it'
                : `Named by ${namers} ${namers === 1 ? 'step or plan' : 'steps and plans'}`}
            </span>
          </p>
        </Place>
        <fieldset disabled={isReadOnly} className={forms['rows']}>
          <Place at={`${at}.name`}>
            <TextField
              label="Name of the resource"
              hint="Plans and steps say it: with another name here, they have to say that one"
              value={name}
              maxLength={512}
              error={faultAt(designing, `${at}.name`)}
              onChange={({ target: { value } }) => onChange({ ...resource, name: value }, 'name')}
            />
          </Place>
          <SwitchField
            label="Enabled"
            isOn={resource['enabled'] !== false}
            onChange={(enabled) => onChange({ ...resource, enabled }, 'enabled')}
          />
        </fieldset>
        <Configuration {...{ resource, at }} onChange={(next) => onChange(next, 'configuration')} />
      </div>
    </Panel>
  );
}

function Configuration({
  resource,
  at,
  onChange,
}: {
  readonly resource: JsonObject;
  readonly at: string;
  readonly onChange: (resource: JsonObject) => void;
}) {
  const { designing, isReadOnly } = useDrawn();
  const { data, error } = useQuery(formOf(textOf(resource['type'])));
  // One that this version does not have is set as what it is: an object.
  const schema = data ?? (error === null ? undefined : { type: 'object', properties: {} });
  return (
    <>
      {error !== null && <ProblemBox error={error} />}
      {schema !== undefined && (
        <SchemaForm
          schema={schema as JsonSchema}
          value={isObject(resource['configuration']) ? resource['configuration'] : {}}
          faults={faultsAt(faultsOf(designing, 'api'), `${at}.configuration`)}
          at={`${at}.configuration`}
          isReadOnly={isReadOnly}
          onChange={(configuration) => onChange({ ...resource, configuration })}
        />
      )}
    </>
  );
}

/** The kinds of resources, to choose one from. */
function AddResource({
  resources,
  onAdd,
  onClose,
}: {
  readonly resources: readonly JsonObject[];
  readonly onAdd: (resource: JsonObject) => void;
  readonly onClose: () => void;
}) {
  const queries = useQueryClient();
  const { data, error } = useQuery(kinds);
  const [failed, setFailed] = useState<unknown>();
  const add = async (type: string): Promise<void> => {
    try {
      const schema = (await queries.fetchQuery(formOf(type))) as JsonSchema;
      const configuration = blankSettings(schema);
      onAdd({ name: freeName(resources, type), type, enabled: true, configuration });
      onClose();
    } catch (refused) {
      setFailed(refused);
    }
  };
  return (
    <ToldDialog title="Add a resource" isOpen onClose={onClose} done="Cancel">
      {error !== null && <ProblemBox error={error} />}
      {failed !== undefined && <ProblemBox error={failed} />}
      <ul className={studio['policies']}>
        {data?.map(({ id, name, description, icon }) => (
          <PluginItem
            key={id}
            picture={<img src={icon} alt="" width="20" height="20" />}
            name={name}
            about={description}
            onChoose={() => void add(id)}
          />
        ))}
      </ul>
    </ToldDialog>
  );
}

/** A name that none of them has yet: `cache`, `cache 2`. */
function freeName(resources: readonly JsonObject[], type: string): string {
  const taken = new Set(resources.map(({ name }) => name));
  let name = type;
  for (let number = 2; taken.has(name); number += 1) name = `${type} ${number}`;
  return name;
}
