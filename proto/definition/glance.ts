import { isJson, type Json } from './opened.ts';
import { hridOf, isKubernetesObject, nameOf } from './resources.ts';

/** What a definition says of itself before it is read whole. */
export interface Glance {
  readonly id: string | undefined;
  readonly name: string | undefined;
  /** The version that its author gave it, e.g. `1.2`. */
  readonly version: string | undefined;
  /** It says that it is not to be served: stopped, or archived. */
  readonly isOff: boolean;
  readonly hasServedPlan: boolean;
  /** It has what only an API has: what holds one, a version of definitions, listeners or a proxy. */
  readonly isLikeApi: boolean;
  /** The API without what holds it. */
  readonly api: Json;
  /** The same definition under these names. */
  named(names: { readonly id: string; readonly name: string }): Json;
}

/** Looks at a definition in any form that `readApi` takes; whatever it is, this does not fail. */
export function glanceAt(document: Json): Glance {
  const holder = holderOf(document);
  const inner = holder === undefined ? document : document[holder];
  const api = isJson(inner) ? inner : {};
  const plans = holder === 'api' ? (document['plans'] ?? api['plans']) : api['plans'];
  const resource = isKubernetesObject(document) ? document : undefined;
  return {
    id: textOf(api['id']) ?? (resource && hridOf(resource)),
    name: textOf(api['name']) ?? (resource && textOf(nameOf(resource))),
    version: textOf(api['apiVersion']) ?? textOf(api['version']),
    isOff:
      isWord(api['state'], 'STOPPED') || isWord(api['lifecycleState'] ?? api['lifecycle_state'], 'ARCHIVED'),
    hasServedPlan: hasServedPlan(plans),
    isLikeApi: holder !== undefined || marksOfApis.some((name) => api[name] !== undefined),
    api,
    named: (names) =>
      holder === undefined ? { ...api, ...names } : { ...document, [holder]: { ...api, ...names } },
  };
}

/** The same definition under its own names, or such as it needs to be read: one that is not imported yet may have none. */
export function namedToRead(document: Json): Json {
  const glance = glanceAt(document);
  return glance.named({ id: glance.id ?? 'new', name: glance.name ?? '' });
}

function holderOf(document: Json): 'api' | 'spec' | undefined {
  if (isKubernetesObject(document)) return isJson(document['spec']) ? 'spec' : undefined;
  return isJson(document['api']) && document['listeners'] === undefined ? 'api' : undefined;
}

const marksOfApis = ['gravitee', 'definitionVersion', 'listeners', 'proxy'];

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const isWord = (value: unknown, word: string): boolean =>
  typeof value === 'string' && value.toUpperCase() === word;

/** Plans are a list, or by name as in payloads and custom resources. */
function hasServedPlan(plans: unknown): boolean {
  if (typeof plans !== 'object' || plans === null) return false;
  return Object.values(plans).some((plan: unknown) => {
    if (!isJson(plan)) return false;
    const status = plan['status'] ?? 'PUBLISHED';
    return isWord(status, 'PUBLISHED') || isWord(status, 'DEPRECATED');
  });
}
