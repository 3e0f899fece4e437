import type { FaultDetail } from '../faults/fault.ts';
import { isJson, type Json } from './opened.ts';

/** An object of Kubernetes, custom or not. */
export type KubernetesObject = Json & { readonly kind: string; readonly apiVersion: string };

/** Says whether a value is an object of Kubernetes. */
export function isKubernetesObject(input: unknown): input is KubernetesObject {
  return (
    isJson(input) &&
    typeof input['apiVersion'] === 'string' &&
    typeof input['kind'] === 'string' &&
    ['spec', 'data', 'stringData', 'metadata'].some((key) => isJson(input[key]))
  );
}

/** Says whether an object of Kubernetes is an API. */
export function isApiResource({ kind, apiVersion }: KubernetesObject): boolean {
  return (kind === 'ApiV4Definition' || kind === 'ApiDefinition') && apiVersion.startsWith('gravitee.io/');
}

/** The namespace of an object; `default` when none is written. */
function namespaceOf({ metadata }: KubernetesObject): string {
  return isJson(metadata) && typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'default';
}

/** The name of an object; empty when none is written. */
export function nameOf({ metadata }: KubernetesObject): string {
  return isJson(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '';
}

/** How the reference calls an object outside of Kubernetes: `sea-weather-buoys`. */
export function hridOf(resource: KubernetesObject): string {
  return `${namespaceOf(resource)}-${nameOf(resource)}`;
}

/** The objects that an API may refer to, found by kind, namespace and name. */
export class Objects {
  readonly #byKey = new Map<string, KubernetesObject>();

  constructor(objects: Iterable<KubernetesObject>) {
    for (const object of objects)
      this.#byKey.set(keyOf(object.kind, namespaceOf(object), nameOf(object)), object);
  }

  /** The object, or undefined when there is none. */
  find(kind: string, namespace: string, name: string): KubernetesObject | undefined {
    return this.#byKey.get(keyOf(kind, namespace, name));
  }
}

const keyOf = (kind: string, namespace: string, name: string): string => `${kind}\0${namespace}\0${name}`;

/**
 * The custom resource of an API with what it refers to in its place: resources (ApiResource), shared policy groups, and texts out of Secrets
 * and ConfigMaps.
 *
 * What is not among the objects stays as it is written; {@link unresolved} names it. Places do not move.
 */
export function resolved(resource: KubernetesObject, objects: Objects): KubernetesObject {
  const { spec } = resource;
  if (!isJson(spec)) return resource;
  const namespace = namespaceOf(resource);
  const { resources } = spec;
  const whole = Array.isArray(resources)
    ? { ...spec, resources: resources.map((item: unknown) => sharedResource(item, namespace, objects)) }
    : spec;
  return { ...resource, spec: resolvedIn(whole, namespace, objects) };
}

/** A resource that stands in an object of its own; texts in it come out of that object's namespace. */
function sharedResource(item: unknown, namespace: string, objects: Objects): unknown {
  const named = isJson(item) ? reference(item['ref'], namespace) : undefined;
  const found = named && objects.find('ApiResource', ...named);
  return isJson(found?.['spec']) ? resolvedIn(found['spec'], namespaceOf(found), objects) : item;
}

function resolvedIn(value: unknown, namespace: string, objects: Objects): unknown {
  if (typeof value === 'string') return filledIn(value, namespace, objects);
  if (Array.isArray(value)) return value.map((item: unknown) => resolvedIn(item, namespace, objects));
  if (!isJson(value)) return value;
  const named = reference(value['sharedPolicyGroupRef'], namespace);
  const group = named && objects.find('SharedPolicyGroup', ...named);
  const own = Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => group === undefined || key !== 'sharedPolicyGroupRef')
      .map(([key, item]) => [key, resolvedIn(item, namespace, objects)]),
  );
  return group === undefined ? own : { ...own, ...stepOf(group) };
}

/** What the operator writes in place of a reference to a shared policy group. */
function stepOf(group: KubernetesObject): Json {
  const spec = isJson(group['spec']) ? group['spec'] : {};
  const { name = nameOf(group), crossId = hridOf(group) } = spec;
  return { name, policy: 'shared-policy-group-policy', configuration: { sharedPolicyGroupId: crossId } };
}

function reference(
  value: unknown,
  namespace: string,
): readonly [namespace: string, name: string] | undefined {
  if (!isJson(value) || typeof value['name'] !== 'string') return undefined;
  return [typeof value['namespace'] === 'string' ? value['namespace'] : namespace, value['name']];
}

const template = /\[\[-?\s*(secret|configmap)\s+[`"]([^`"/]+)\/([^`"/]+)[`"]\s*-?\]\]/g;
/** An action of the operator's templates, and not a list within a list as JSON has it. */
const action = /\[\[-?\s*(?:[A-Za-z.$`(]|\/\*)/;

function filledIn(text: string, namespace: string, objects: Objects): string {
  if (!text.includes('[[')) return text;
  return text.replaceAll(template, (...match: readonly string[]) => {
    const [whole = '', kind, name = '', key = ''] = match;
    const object = objects.find(kind === 'secret' ? 'Secret' : 'ConfigMap', namespace, name);
    return (object && valueOf(object, key)) ?? whole;
  });
}

function valueOf({ kind, data, stringData }: KubernetesObject, key: string): string | undefined {
  const plain = isJson(stringData) && Object.hasOwn(stringData, key) ? stringData[key] : undefined;
  if (typeof plain === 'string') return plain;
  const encoded = isJson(data) && Object.hasOwn(data, key) ? data[key] : undefined;
  if (typeof encoded !== 'string') return undefined;
  return kind === 'Secret' ? Buffer.from(encoded, 'base64').toString('utf8') : encoded;
}

/** What of a spec still refers to something outside of it, by place. */
export function unresolved(value: unknown, at: string): readonly FaultDetail[] {
  if (typeof value === 'string') return unfilled(value, at);
  if (Array.isArray(value)) return value.flatMap((item, index) => unresolved(item, `${at}[${index}]`));
  if (!isJson(value)) return [];
  const missing = (key: string, kind: string): readonly FaultDetail[] => {
    const named = reference(value[key], 'default');
    const message = `names the ${kind} "${named?.[1]}", which is not in the same folder; put its manifest there, or write here what it says`;
    return named === undefined ? [] : [{ path: `${at}.${key}`, message }];
  };
  return [
    ...(/^spec\.resources\[\d+\]$/.test(at) ? missing('ref', 'ApiResource') : []),
    ...missing('sharedPolicyGroupRef', 'SharedPolicyGroup'),
    ...Object.entries(value).flatMap(([key, item]) => unresolved(item, `${at}.${key}`)),
  ];
}

function unfilled(text: string, at: string): readonly FaultDetail[] {
  if (!action.test(text)) return [];
  const [whole, kind, name, key] = text.matchAll(template).next().value ?? [];
  const message =
    whole === undefined
      ? 'holds a template of the operator that is not evaluated here; allowed: [[ secret `name/key` ]] and [[ configmap `name/key` ]]'
      : `names ${kind === 'secret' ? 'the Secret' : 'the ConfigMap'} "${name}" with the key "${key}", which is not in the same folder; put its manifest there, or write the value`;
  return [{ path: at, message }];
}
