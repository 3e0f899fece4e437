import { isSealed, mask } from '../../trust/sealed-text.ts';
import { type SecretField, type SecretFields, secretFields } from './fields.ts';

/** Where a secret stands in a definition. */
export interface SecretPlace {
  /** As faults name it: `resources[0].configuration.clientSecret`. */
  readonly path: string;
  /** The same place whatever the order of lists: `resources[oauth].configuration.clientSecret`. */
  readonly place: string;
  /** Name of the field, whatever stands around it. */
  readonly field: string;
  /** False where the fields beside it say that it is none, but a mask or a sealed text was left. */
  readonly isSecret: boolean;
}

/** Gives what stands there from now on. */
export type SecretVisit = (value: string, at: SecretPlace) => string;

type Json = Readonly<Record<string, unknown>>;

interface Walk {
  readonly visit: SecretVisit;
  readonly fields: SecretFields;
}

/** Where something stands, by path and by place, and who walks there. */
interface At {
  readonly path: string;
  readonly place: string;
  readonly walk: Walk;
}

/** Lists of steps in flows, of every version. */
const stepLists: ReadonlySet<string> = new Set([
  'request',
  'response',
  'subscribe',
  'publish',
  'connect',
  'entrypointConnect',
  'interact',
  'pre',
  'post',
]);

/**
 * The definition of an API, a plan, a shared policy group, a dictionary or an organization's flows with other texts in the place of its secrets; what has
 * no secret in it is the very same object. It may be a draft: what has not the form that it should have is left alone.
 *
 * Empty texts are no secrets. A configuration written as JSON text becomes an object where it holds one.
 */
export function mapSecrets<Definition>(
  definition: Definition,
  visit: SecretVisit,
  fields: SecretFields = secretFields,
): Definition {
  return inDefinition(definition, { path: '', place: '', walk: { visit, fields } }) as Definition;
}

/** Where a sealed text stands in any value, by its path; undefined where none does. */
export function pathOfSealed(value: unknown, at = ''): string | undefined {
  if (typeof value === 'string') return isSealed(value) ? at : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, item] of Object.entries(value)) {
    const path = Array.isArray(value) ? `${at}[${name}]` : pathBelow(at, name);
    const found = pathOfSealed(item, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A value as people see it: a mask stands where a sealed text did, wherever that is. What has none is the very same value. */
export function maskSealed<Value>(value: Value): Value {
  return masked(value) as Value;
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return isSealed(value) ? mask : value;
  if (Array.isArray(value)) {
    const items = value.map(masked);
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  return isJson(value) ? mapFields(value, masked) : value;
}

type Inside = (value: unknown, at: At) => unknown;

const inStep: Inside = (value, at) =>
  inPlugin(value, at, { fields: at.walk.fields.policies, named: 'policy' });
const inSteps = listOf(inStep, 'name');

const inFlow: Inside = (value, at) =>
  inFields(value, at, (name) => (stepLists.has(name) ? inSteps : undefined));

const inEndpointConfiguration: Inside = (value, at) => inConfiguration(value, at, at.walk.fields.endpoints);

const inEndpoint: Inside = (value, at) =>
  inFields(value, at, (name) =>
    name === 'sharedConfigurationOverride' ? inEndpointConfiguration : undefined,
  );

const inDiscovery: Inside = (value, at) =>
  inPlugin(value, at, { fields: at.walk.fields.discoveries, named: 'type' });

const inGroupServices: Inside = (value, at) =>
  inFields(value, at, (name) => (name === 'discovery' ? inDiscovery : undefined));

const ofGroups: ReadonlyMap<string, Inside> = new Map([
  ['sharedConfiguration', inEndpointConfiguration],
  ['endpoints', listOf(inEndpoint, 'name')],
  ['services', inGroupServices],
]);

const inGroup: Inside = (value, at) => inFields(value, at, (name) => ofGroups.get(name));

const inResource: Inside = (value, at) =>
  inPlugin(value, at, { fields: at.walk.fields.resources, named: 'type' });

/** Plans name the policy that secures them in words of the management API or of gateways. */
const inSecurity: Inside = (value, at) =>
  inPlugin(value, at, { fields: at.walk.fields.policies, named: 'type' });

function inPlugin(
  value: unknown,
  at: At,
  { fields, named }: { readonly fields: SecretFields['policies']; readonly named: string },
): unknown {
  const id = fieldOf(value, named);
  const own = typeof id === 'string' ? fields.get(id.toLowerCase().replaceAll('_', '-')) : undefined;
  if (own === undefined || own.length === 0) return value;
  const inside: Inside = (configuration, where) => inConfiguration(configuration, where, own);
  return inFields(value, at, (name) => (name === 'configuration' ? inside : undefined));
}

/** An encrypted property is a secret, and so is one that is to become one. */
const inProperty: Inside = (value, at) => {
  if (!isJson(value)) return value;
  const { encryptable, ...property } = value;
  const isSecret = value['encrypted'] === true || encryptable === true;
  const within = visited(value['value'], below(at, 'value'), { field: 'property', isSecret });
  if (within === value['value'] && encryptable !== true) return value;
  return { ...property, value: within, ...(isSecret && { encrypted: true }) };
};

const inFetch: Inside = (value, at) =>
  inFields(value, at, (name) =>
    name === 'configuration'
      ? (configuration, where) => inConfiguration(configuration, where, at.walk.fields.fetches)
      : undefined,
  );

const inServices: Inside = (value, at) =>
  inFields(value, at, (name) => (name === 'dynamicProperty' ? inFetch : undefined));

const inPlan: Inside = (value, at) => inDefinition(value, at);

const ofDefinitions: ReadonlyMap<string, Inside> = new Map([
  ['endpointGroups', listOf(inGroup, 'name')],
  ['flows', listOf(inFlow, 'id', 'name')],
  ['steps', inSteps],
  ['plans', listOf(inPlan, 'id')],
  ['security', inSecurity],
  ['resources', listOf(inResource, 'name')],
  ['properties', listOf(inProperty, 'key')],
  ['services', inServices],
  // Of a dictionary.
  ['provider', inFetch],
]);

function inDefinition(value: unknown, at: At): unknown {
  return inFields(value, at, (name) => ofDefinitions.get(name));
}

function inConfiguration(value: unknown, at: At, fields: readonly SecretField[]): unknown {
  const configuration = typeof value === 'string' ? parsed(value) : value;
  const mapped = fields.reduce(
    (so, field) => inPath(so, field.path, { at, field, beside: so }),
    configuration,
  );
  return mapped === configuration ? value : mapped;
}

interface OnPath {
  readonly at: At;
  readonly field: SecretField;
  readonly beside: unknown;
}

function inPath(value: unknown, [key, ...rest]: readonly string[], on: OnPath): unknown {
  const { at, field, beside } = on;
  if (key === undefined) {
    const isSecret = field.isSecretBeside?.(isJson(beside) ? beside : {}) ?? true;
    return visited(value, at, { field: field.name, isSecret });
  }
  const next = (item: unknown, where: At): unknown => inPath(item, rest, { ...on, at: where, beside: value });
  if (key === '[]') return listOf(next, 'name', 'key', 'id')(value, at);
  return inFields(value, at, (name) => (key === '*' || key === name ? next : undefined));
}

function visited(
  value: unknown,
  { path, place, walk }: At,
  what: Pick<SecretPlace, 'field' | 'isSecret'>,
): unknown {
  if (typeof value !== 'string' || value === '') return value;
  return what.isSecret || value === mask || isSealed(value)
    ? walk.visit(value, { path, place, ...what })
    : value;
}

/** The object with what becomes of those of its fields; itself when nothing does. */
function inFields(value: unknown, at: At, insideOf: (name: string) => Inside | undefined): unknown {
  if (!isJson(value)) return value;
  return mapFields(value, (item, name) => insideOf(name)?.(item, below(at, name)) ?? item);
}

function mapFields(value: Json, change: (item: unknown, name: string) => unknown): Json {
  let isChanged = false;
  const entries = Object.entries(value).map(([name, item]): readonly [string, unknown] => {
    const mapped = change(item, name);
    isChanged ||= mapped !== item;
    return [name, mapped];
  });
  return isChanged ? Object.fromEntries(entries) : value;
}

/** Each item of a list; items are known again by the first of those fields that they have, else by where they stand. */
function listOf(inside: Inside, ...names: readonly string[]): Inside {
  return (value, at) => {
    if (!Array.isArray(value)) return value;
    const seen = new Map<string, number>();
    const mapped = value.map((item: unknown, index) => {
      const called = names.map((name) => fieldOf(item, name)).find(isName) ?? `#${index}`;
      const times = seen.get(called) ?? 0;
      seen.set(called, times + 1);
      const place = `${at.place}[${called}${times === 0 ? '' : `#${times}`}]`;
      return inside(item, { ...at, path: `${at.path}[${index}]`, place });
    });
    return mapped.every((item, index) => item === value[index]) ? value : mapped;
  };
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';

const fieldOf = (value: unknown, name: string): unknown =>
  isJson(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const pathBelow = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const below = ({ path, place, walk }: At, name: string): At => ({
  path: pathBelow(path, name),
  place: pathBelow(place, name),
  walk,
});

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
