import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Plus, X } from 'lucide-react';
import { corsForm } from '../../api/forms.generated.ts';
import { Button, IconButton } from '../../kit/button.tsx';
import { Copy } from '../../kit/copy.tsx';
import { TextField } from '../../kit/field.tsx';
import { Body, Panel } from '../../kit/page.tsx';
import { Place, useFocusOn } from '../../kit/place.tsx';
import { SchemaForm } from '../../kit/schema-form/schema-form.tsx';
import { isObject, type JsonObject, type JsonSchema, withKey } from '../../kit/schema-form/shape.ts';
import { Empty } from '../../kit/told.tsx';
import { WordsField } from '../../kit/words-field.tsx';
import { useKnownTags } from '../words.ts';
import { faultsAt } from './design/flows.ts';
import { faultsOf } from './design/use-design.ts';
import { useDrawn } from './draft/drafted.tsx';
import { faultAt, objectsOf, textOf, wordsOf, writeSection } from './draft/sections.ts';
import styles from './inside.module.css';
import { exposedOf } from './questions.ts';

const route = getRouteApi('/$env/apis/$api/draft/entrypoints');

const moreForm: JsonSchema = {
  type: 'object',
  properties: {
    pathMappings: {
      type: 'array',
      items: { type: 'string' },
      description: 'Figures group calls by these, e.g. /orders/:id, instead of by each path that was called.',
    },
    servers: {
      type: 'array',
      items: { type: 'string' },
      description: 'Ids of the servers of a gateway that listen for it; none means all of them.',
    },
  },
};

/** Where callers arrive: hosts and paths, browsers of other origins, and which gateways. */
export function ApiEntrypoints() {
  const { designing, isReadOnly } = useDrawn();
  const { at } = route.useSearch();
  useFocusOn(at);
  const known = useKnownTags();
  const { api } = designing.design;
  const listeners = objectsOf(api['listeners']);
  if (listeners === undefined)
    return (
      <Empty title="The entrypoints cannot be drawn">
        The draft holds something else in place of a list of listeners. Discard it, or write it anew by the
        API.
      </Empty>
    );
  const write = (index: number, key: string, value: unknown): void =>
    writeSection(
      designing,
      { listeners: listeners.with(index, withKey(listeners[index] ?? {}, key, value)) },
      `listeners[${index}].${key}`,
    );
  return (
    <Body>
      <div className={styles['form']}>
        <Reached />
        {listeners.map((listener, index) =>
          listener['type'] === 'HTTP' ? (
            <Listener
              // A listener is its place.
              key={index}
              {...{ listener, index }}
              onChange={(key, value) => write(index, key, value)}
            />
          ) : (
            <Panel key={index} title={`Listener of type ${textOf(listener['type'])}`}>
              <p className="second">No gateway of this version runs it; it is kept as it is.</p>
            </Panel>
          ),
        )}
        <Panel title="Gateways">
          <Place at="tags">
            <WordsField
              label="Sharding tags"
              others="Other tags"
              hint="Only gateways of fleets with one of these tags serve the API; without tags all do."
              known={known}
              words={wordsOf(api['tags'])}
              error={faultAt(designing, 'tags')}
              isDisabled={isReadOnly}
              onChange={(tags) => writeSection(designing, { tags }, 'tags')}
            />
          </Place>
        </Panel>
      </div>
    </Body>
  );
}

/** The addresses of what is stored, with those of gateways. */
function Reached() {
  const { env, api: id } = route.useParams();
  const { data } = useQuery(exposedOf({ env, id }));
  if (data === undefined) return null;
  return (
    <Panel title="Reached at">
      {data.length === 0 ? (
        <p className="second">
          Nobody has said yet where the gateways of this environment are reached from outside; paths below are
          relative to that.
        </p>
      ) : (
        <ul className={styles['lines']}>
          {data.map(({ value }) => (
            <li key={value}>
              <Copy text={value} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Listener({
  listener,
  index,
  onChange,
}: {
  readonly listener: JsonObject;
  readonly index: number;
  readonly onChange: (key: string, value: unknown) => void;
}) {
  const { designing, isReadOnly } = useDrawn();
  const at = `listeners[${index}]`;
  const more = Object.fromEntries(
    Object.entries(listener).filter(([key]) => key === 'pathMappings' || key === 'servers'),
  );
  const all = faultsOf(designing, 'api');
  const writeMore = (next: JsonObject): void => {
    for (const key of ['pathMappings', 'servers']) if (next[key] !== more[key]) onChange(key, next[key]);
  };
  return (
    <>
      <Panel title="Paths">
        <Paths
          {...{ at }}
          paths={objectsOf(listener['paths']) ?? []}
          onChange={(next) => onChange('paths', next)}
        />
      </Panel>
      <Panel title="Browsers of other origins (CORS)">
        <SchemaForm
          schema={corsForm}
          value={isObject(listener['cors']) ? listener['cors'] : {}}
          faults={faultsAt(all, `${at}.cors`)}
          at={`${at}.cors`}
          isReadOnly={isReadOnly}
          onChange={(next) => onChange('cors', Object.keys(next).length === 0 ? undefined : next)}
        />
      </Panel>
      <Panel title="Listener">
        <SchemaForm
          schema={moreForm}
          value={more}
          faults={faultsAt(all, at)}
          at={at}
          isReadOnly={isReadOnly}
          onChange={writeMore}
        />
      </Panel>
    </>
  );
}

/** Hosts and paths, one a line. */
function Paths({
  at,
  paths,
  onChange,
}: {
  readonly at: string;
  readonly paths: readonly JsonObject[];
  readonly onChange: (paths: readonly JsonObject[]) => void;
}) {
  const { designing, isReadOnly } = useDrawn();
  const set = (index: number, key: string, value: string): void =>
    onChange(
      paths.with(index, withKey(paths[index] ?? {}, key, value === '' && key === 'host' ? undefined : value)),
    );
  return (
    <fieldset disabled={isReadOnly} className={styles['rows']} aria-label="Paths">
      {paths.map((each, index) => (
        <div key={index} className={styles['row']}>
          <Place at={`${at}.paths[${index}].host`}>
            <TextField
              label="Host"
              isOptional
              hint={index === 0 ? 'Empty for any host' : undefined}
              className="mono"
              value={textOf(each['host'])}
              error={faultAt(designing, `${at}.paths[${index}].host`)}
              onChange={({ target: { value } }) => set(index, 'host', value.trim())}
            />
          </Place>
          <Place at={`${at}.paths[${index}].path`}>
            <TextField
              label="Path"
              hint={index === 0 ? 'Where callers arrive at the gateway, e.g. /rates/v3' : undefined}
              className="mono"
              value={textOf(each['path'])}
              error={faultAt(designing, `${at}.paths[${index}].path`) ?? pathFault(textOf(each['path']))}
              onChange={({ target: { value } }) => set(index, 'path', value.trim())}
            />
          </Place>
          <div className={styles['tools']}>
            <IconButton
              label={`Remove path ${index + 1}`}
              disabled={paths.length === 1}
              onClick={() => onChange(paths.toSpliced(index, 1))}
            >
              <X size={14} aria-hidden />
            </IconButton>
          </div>
        </div>
      ))}
      {!isReadOnly && (
        <div>
          <Button size="small" look="quiet" onClick={() => onChange([...paths, { path: '/' }])}>
            <Plus size={14} aria-hidden />
            Add path
          </Button>
        </div>
      )}
    </fieldset>
  );
}

/** What the API would say of a path, said while it is typed. */
const pathFault = (path: string): string | undefined =>
  /^\/([A-Za-z0-9_.~-]+\/)*([A-Za-z0-9_.~-]+)?$/.test(path)
    ? undefined
    : 'must start with / and have segments of letters, digits and - _ . ~';
