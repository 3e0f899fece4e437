import { type KnownFields, type SecretFields, secretFields } from './fields.ts';
import { inConfiguration, inNamed, inSecret, inText } from './by-name.ts';
import { type At, below, fieldOf, type Inside, inFields, isJson, listOf, type SecretVisit } from './walk.ts';

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
 * Empty texts are no secrets, and a number is one as its digits. A configuration written as JSON text becomes an object where it holds one.
 * Errors: request.invalid when it is nested deeper than `secretLevelsMax`.
 */
export function mapSecrets<Definition>(
  definition: Definition,
  visit: SecretVisit,
  fields: SecretFields = secretFields,
): Definition {
  return inDefinition(definition, { path: '', place: '', level: 0, walk: { visit, fields } }) as Definition;
}

const inStep: Inside = (value, at) => inPlugin(value, at, { kind: 'policies', named: 'policy' });
const inSteps = listOf(inStep);

const inFlow: Inside = (value, at) =>
  inNamed(value, at, (name) => (stepLists.has(name) ? inSteps : undefined));

const inEndpointConfiguration: Inside = (value, at) => {
  const { endpoints, known } = at.walk.fields;
  return inConfiguration(value, at, { fields: endpoints, known: known.endpoints });
};

/** Of an endpoint itself: where it is. */
const target: KnownFields = new Map([['target', new Map()]]);
const inTarget: Inside = (value, at) => inConfiguration(value, at, { fields: [], known: target });

const ofEndpoints: ReadonlyMap<string, Inside> = new Map([
  ['configuration', inTarget],
  ['sharedConfigurationOverride', inEndpointConfiguration],
]);

const inEndpoint: Inside = (value, at) => inNamed(value, at, (name) => ofEndpoints.get(name));

const inDiscovery: Inside = (value, at) => inPlugin(value, at, { kind: 'discoveries', named: 'type' });

const inGroupServices: Inside = (value, at) =>
  inNamed(value, at, (name) => (name === 'discovery' ? inDiscovery : undefined));

const ofGroups: ReadonlyMap<string, Inside> = new Map([
  ['sharedConfiguration', inEndpointConfiguration],
  ['endpoints', listOf(inEndpoint)],
  ['services', inGroupServices],
]);

const inGroup: Inside = (value, at) => inNamed(value, at, (name) => ofGroups.get(name));

const inResource: Inside = (value, at) => inPlugin(value, at, { kind: 'resources', named: 'type' });

/** Plans name the policy that secures them in words of the management API or of gateways. */
const inSecurity: Inside = (value, at) => inPlugin(value, at, { kind: 'policies', named: 'type' });

function inPlugin(
  value: unknown,
  at: At,
  { kind, named }: { readonly kind: 'policies' | 'resources' | 'discoveries'; readonly named: string },
): unknown {
  const written = fieldOf(value, named);
  const id = typeof written === 'string' ? written.toLowerCase().replaceAll('_', '-') : '';
  const { [kind]: fields, known } = at.walk.fields;
  const own = { fields: fields.get(id) ?? [], known: known[kind].get(id) };
  const inside: Inside = (configuration, where) => inConfiguration(configuration, where, own);
  return inNamed(value, at, (name) => (name === 'configuration' ? inside : undefined));
}

/** An encrypted property is a secret, and so is one that is to become one. */
const inProperty: Inside = (value, at) => {
  if (!isJson(value)) return value;
  const { encryptable, ...property } = value;
  // A draft may say it in other words than it should.
  const isSecret =
    ![undefined, null, false].includes(value['encrypted'] as undefined) || encryptable === true;
  const within = inSecret(value['value'], below(at, 'value'), { field: 'property', isSecret });
  if (within === value['value'] && encryptable !== true) return value;
  return { ...property, value: within, ...(isSecret && { encrypted: true }) };
};

const inFetch: Inside = (value, at) =>
  inNamed(value, at, (name) =>
    name === 'configuration'
      ? (configuration, where) => {
          const { fetches, known } = at.walk.fields;
          return inConfiguration(configuration, where, { fields: fetches, known: known.fetches });
        }
      : undefined,
  );

const inServices: Inside = (value, at) =>
  inNamed(value, at, (name) => (name === 'dynamicProperty' ? inFetch : undefined));

/** By error key and media type: names of ours are none of secrets. */
const inTemplates: Inside = (value, at) =>
  inFields(value, at, () => (byType, where) => inFields(byType, where, () => inTemplate));

const inTemplate: Inside = (value, at) =>
  inNamed(value, at, (name) => (name === 'body' ? inText(name) : undefined));

const inWhole: Inside = (value, at) => inDefinition(value, at);

/** A list, or by their names, as payloads of gateways have them. */
const inPlans: Inside = (value, at) =>
  Array.isArray(value) ? listOf(inWhole)(value, at) : inFields(value, at, () => inWhole);

const ofDefinitions: ReadonlyMap<string, Inside> = new Map([
  ['endpointGroups', listOf(inGroup)],
  ['flows', listOf(inFlow)],
  ['steps', inSteps],
  ['plans', inPlans],
  // Of exports and custom resources.
  ['api', inWhole],
  ['spec', inWhole],
  ['security', inSecurity],
  ['resources', listOf(inResource)],
  ['properties', listOf(inProperty)],
  ['services', inServices],
  ['responseTemplates', inTemplates],
  // Of a dictionary.
  ['provider', inFetch],
]);

function inDefinition(value: unknown, at: At): unknown {
  return inNamed(value, at, (name) => ofDefinitions.get(name));
}
