import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import { missingSecretIn, workOut } from '../../../proto/model/deploy/at-deploy.ts';
import { hasExpression } from '../../../proto/expression/find.ts';
import type { Surroundings } from '../../../proto/expression/scope.ts';
import {
  type ApiDefinition,
  discoverySchema,
  type EndpointGroupDefinition,
  parseApi,
  sharedConfigurationSchema,
} from '../../../proto/model/api.ts';
import { changeDeployFields, isIdle } from '../../../proto/model/deploy/fields.ts';
import { policySchema } from '../../../proto/policies/catalog.ts';
import { isResourceId, resourceCatalog } from '../../../proto/resources/catalog.ts';

/** A definition as it runs. */
interface WorkedOut {
  readonly definition: ApiDefinition;
  /** Names of dictionaries that were read for it. */
  readonly dictionaries: ReadonlySet<string>;
  /** Whether it was asked where the gateway stands. */
  readonly readsNode: boolean;
  /** Whether it depends on what may be another when the gateway starts again: something was worked out, or it names secrets. */
  readonly readsGround: boolean;
}

/**
 * Works out what of a definition is known when it is deployed: how endpoints are reached and found, resources, securities of plans. What
 * is not in use is left alone. Also finds secrets that texts of requests name and the gateway has not.
 *
 * Errors: request.invalid, by path, for what cannot be worked out, or comes to what the field does not take; no detail holds a secret.
 */
export function workOutDefinition(written: ApiDefinition, surroundings: Surroundings): WorkedOut {
  const scope = new ReadSurroundings(surroundings);
  const faults: FaultDetail[] = [];
  const change: Change = (at) => (text, path) => {
    if (!hasExpression(text)) return text;
    const came = workOut(text, scope);
    // Never shown: it may be a secret.
    const why =
      'why' in came
        ? came.why
        : hasExpression(came.value)
          ? 'comes to a text that holds an expression itself, which nobody works out'
          : undefined;
    if (why !== undefined) faults.push({ path: `${at}.${path}`, message: why });
    return 'why' in came ? text : came.value;
  };
  const changed = changedDefinition(written, change);
  const parsed = faults.length > 0 || changed === written ? undefined : parseApi({ ...changed });
  if (parsed?.kind === 'faults') faults.push(...parsed.faults);
  const definition = parsed?.kind === 'api' ? parsed.api : changed;
  const namesSecrets = JSON.stringify(written).includes('#secrets');
  if (faults.length === 0 && namesSecrets) faults.push(...missingSecrets(definition, '', surroundings));
  if (faults.length > 0) throw new Fault('request.invalid', { details: faults });
  return {
    definition,
    dictionaries: scope.dictionaries.read,
    readsNode: scope.readsNode,
    readsGround: changed !== written || namesSecrets,
  };
}

/** Texts of what stands at a place, by their paths below it. */
type Change = (at: string) => (text: string, path: string) => string;

/** The same object where nothing is worked out. */
function changedDefinition(written: ApiDefinition, change: Change): ApiDefinition {
  return withFields(written, {
    endpointGroups: each(written.endpointGroups, (group, g) =>
      changedGroup(group, `endpointGroups[${g}]`, change),
    ),
    resources: each(written.resources, (resource, n) => {
      if (!resource.enabled || !isResourceId(resource.type)) return resource;
      const schema = resourceCatalog[resource.type].config;
      const at = change(`resources[${n}].configuration`);
      return withFields(resource, { configuration: changeDeployFields(resource.configuration, schema, at) });
    }),
    plans: each(written.plans, (plan, n) => {
      const schema = policySchema(plan.security.type)?.config;
      if (plan.status === 'closed' || schema === undefined) return plan;
      const { configuration } = plan.security;
      const at = change(`plans[${n}].security.configuration`);
      return withFields(plan, {
        security: withFields(plan.security, { configuration: changeDeployFields(configuration, schema, at) }),
      });
    }),
  });
}

function changedGroup(group: EndpointGroupDefinition, at: string, change: Change): EndpointGroupDefinition {
  const shared = changeDeployFields(
    group.sharedConfiguration,
    sharedConfigurationSchema,
    change(`${at}.sharedConfiguration`),
  );
  const endpoints = each(group.endpoints, (endpoint, e) =>
    endpoint.inheritConfiguration
      ? endpoint
      : withFields(endpoint, {
          sharedConfigurationOverride: changeDeployFields(
            endpoint.sharedConfigurationOverride,
            sharedConfigurationSchema,
            change(`${at}.endpoints[${e}].sharedConfigurationOverride`),
          ),
        }),
  );
  const found = group.services?.discovery;
  const services =
    found === undefined
      ? group.services
      : withFields(group.services ?? {}, {
          discovery: changeDeployFields(found, discoverySchema, change(`${at}.services.discovery`)),
        });
  return withFields(group, { sharedConfiguration: shared, endpoints, services });
}

/**
 * The same look of what several APIs share, which is worked out with no API: steps of a shared policy group, flows of an organization.
 *
 * Errors: request.invalid, by paths that start with `at`, for secrets that the gateway has not.
 */
export function refuseMissingSecrets(
  shared: unknown,
  at: string,
  known: Pick<Surroundings, 'secrets'>,
): void {
  const details = missingSecrets(shared, at, known);
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

/** Says by path which secrets are named by what is in use, and are not there: a request must not be the first to notice. */
function missingSecrets(
  value: unknown,
  at: string,
  surroundings: Pick<Surroundings, 'secrets'>,
): readonly FaultDetail[] {
  if (typeof value === 'string') {
    if (!value.includes('#secrets')) return [];
    // Selection rules and conditions of logging may stand without braces.
    const text = hasExpression(value) ? value : `{${value}}`;
    const why = missingSecretIn(text, surroundings);
    return why === undefined ? [] : [{ path: at, message: why }];
  }
  if (Array.isArray(value))
    return value.flatMap((item: unknown, n) => missingSecrets(item, `${at}[${n}]`, surroundings));
  if (typeof value !== 'object' || value === null) return [];
  if (('enabled' in value && value.enabled === false) || ('status' in value && value.status === 'closed'))
    return [];
  return Object.entries(value).flatMap(([name, item]: [string, unknown]) => {
    // Values of properties are texts, whatever they look like.
    if (at === '' && name === 'properties') return [];
    if (typeof item === 'object' && item !== null && isIdle(name, item)) return [];
    return missingSecrets(item, at === '' ? name : `${at}.${name}`, surroundings);
  });
}

/** Remembers what was read. */
class ReadSurroundings implements Surroundings {
  readonly api: Surroundings['api'];
  readonly endpoints: Surroundings['endpoints'];
  readonly secrets: Surroundings['secrets'];
  readonly dictionaries: ReadDictionaries;
  readsNode = false;
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.api = surroundings.api;
    this.endpoints = surroundings.endpoints;
    this.secrets = surroundings.secrets;
    this.dictionaries = new ReadDictionaries(surroundings.dictionaries);
  }

  get node(): Surroundings['node'] {
    this.readsNode = true;
    return this.#surroundings.node;
  }
}

/** All dictionaries of an environment, uncopied: it may have thousands, and an API is built of few. */
class ReadDictionaries extends Map<string, ReadonlyMap<string, string>> {
  readonly read = new Set<string>();
  readonly #all: Surroundings['dictionaries'];

  constructor(all: Surroundings['dictionaries']) {
    super();
    this.#all = all;
  }

  override get size(): number {
    return this.#all.size;
  }

  override get(name: string): ReadonlyMap<string, string> | undefined {
    this.read.add(name);
    return this.#all.get(name);
  }

  override has(name: string): boolean {
    this.read.add(name);
    return this.#all.has(name);
  }

  override keys(): MapIterator<string> {
    return this.#all.keys();
  }

  override values(): MapIterator<ReadonlyMap<string, string>> {
    return this.#all.values();
  }

  override entries(): MapIterator<[string, ReadonlyMap<string, string>]> {
    return this.#all.entries();
  }

  override [Symbol.iterator](): MapIterator<[string, ReadonlyMap<string, string>]> {
    return this.#all.entries();
  }

  override forEach(
    each: (
      value: ReadonlyMap<string, string>,
      name: string,
      map: Map<string, ReadonlyMap<string, string>>,
    ) => void,
  ): void {
    for (const [name, value] of this.#all) each(value, name, this);
  }
}

/** The same list where each of its items is the same. */
function each<Item>(list: Item[], change: (item: Item, n: number) => Item): Item[];
function each<Item>(list: readonly Item[], change: (item: Item, n: number) => Item): readonly Item[];
function each<Item>(list: readonly Item[], change: (item: Item, n: number) => Item): readonly Item[] {
  const changed = list.map(change);
  return changed.every((item, n) => item === list[n]) ? list : changed;
}

/** The same object where each of these fields is the same. */
function withFields<Of extends object>(of: Of, fields: Partial<Of>): Of {
  const changed = { ...of, ...fields };
  return Object.keys(fields).every((name) => changed[name as keyof Of] === of[name as keyof Of])
    ? of
    : changed;
}
