import { apiVersionDefault } from '../../model/api-schema.ts';
import type { Json, OpenedApi, SourceApi } from '../opened.ts';
import { plansInOrder, slugOf } from '../plans.ts';
import { endpointGroupsOf } from './endpoints.ts';
import { type Engine, flowsOf, stepsIn } from './flows.ts';
import { isOfBodies } from './known-policies.ts';
import { analyticsOf, listenerOf } from './listener.ts';
import { Place, settle, Told, type Tree, wordsIn } from './place.ts';
import { plansOf } from './plans.ts';
import { discoveryOf, dynamicPropertyOf, healthCheckOf } from './services.ts';
import { version2Of } from './version-1.ts';

/** What the console and importers keep of an API beside its definition. */
const consoleFields = wordsIn(`
  description crossId hrid visibility lifecycle_state lifecycleState groups labels categories members
  primaryOwner pages metadata picture background apiMedia disable_membership_notifications
  disableMembershipNotifications created_at createdAt updated_at updatedAt deployed_at deployedAt
  workflow_state workflowState definition_context definitionContext originContext environmentId
  environment_id owner entrypoints deploymentState picture_url background_url responseTemplatesEnabled
  etag role manageable numberOfRatings views
`);

/**
 * Writes an API of version 1 or 2 in the words of version 4, for running it as it ran.
 *
 * Shape:  `source.api` in the spelling of payloads, v1 exports and custom resources (`proxy.virtual_hosts`, `flow_mode`), or of the
 *         management API (`proxy.virtualHosts`, `flowMode`); version 1 has `paths`.
 * Errors: none are thrown; what has no form in version 4 is among the faults that it returns.
 */
export function openVersion2(source: SourceApi & { readonly version: 1 | 2 }): OpenedApi {
  if (source.version === 2) return opened(source);
  const told = new Told();
  const { source: converted, pathOf } = version2Of(source, told);
  const second = opened(converted);
  const renamed = <Item extends { readonly path: string }>(items: readonly Item[]): readonly Item[] =>
    items.map((item) => ({ ...item, path: pathOf(item.path) }));
  return {
    body: second.body,
    pathOf: (path) => pathOf(second.pathOf(path)),
    notes: [...told.notes, ...renamed(second.notes)],
    faults: [...told.faults, ...renamed(second.faults)],
  };
}

function opened(source: SourceApi): OpenedApi {
  const told = new Told();
  const api = new Place(source.api, source.at, told);
  const { value, pathOf } = settle(api.made(bodyOf(api, source, told)));
  return { body: value as Json, pathOf, notes: told.notes, faults: [...told.faults, ...told.unknown()] };
}

function bodyOf(api: Place, source: SourceApi, told: Told): Tree {
  const engine = engineOf(api, source.holder);
  if (engine === 'v3') noteV3(api, source);
  const proxy = api.field('proxy');
  const services = api.field('services');
  const mode = api.field('flow_mode', 'flowMode');
  const version = api.field('version', 'apiVersion');
  api.leave(
    'gravitee',
    'definitionVersion',
    'plans',
    'state',
    'context_path',
    'contextPath',
    '_links',
    'links',
  );
  api.portal(consoleFields);
  if (proxy.isAbsent) proxy.fault('is required');
  const paths = api.field('paths');
  if (paths.members().length > 0) paths.fault('is of version 1; allowed: flows, or gravitee 1.0.0');
  return {
    id: idOf(api),
    name: api.field('name'),
    // The reference writes the word `undefined` when there is none; here it is what version 4 has then.
    apiVersion: version.as(version.text(apiVersionDefault)),
    gravitee: '4.0.0',
    engine: engine === 'v3' ? api.field('execution_mode', 'executionMode').as('v3') : undefined,
    type: 'proxy',
    tags: api.field('tags'),
    listeners: [listenerOf(proxy, api.field('path_mappings', 'pathMappings'))],
    endpointGroups: endpointGroupsOf(proxy, {
      healthCheck: healthCheckOf(services.field('health-check', 'healthCheck')),
      discovery: discoveryOf(services.field('discovery')),
    }),
    plans: plansOf(plansInOrder(source), told, engine),
    flowExecution: { mode: mode.as(mode.word(['DEFAULT', 'BEST_MATCH'], 'DEFAULT')), matchRequired: false },
    flows: flowsOf(api.field('flows'), engine),
    properties: propertiesOf(api.field('properties')),
    resources: resourcesOf(api.field('resources')),
    responseTemplates: api.field('response_templates', 'responseTemplates'),
    services: { dynamicProperty: dynamicPropertyOf(services.field('dynamic-property', 'dynamicProperty')) },
    failover: failoverOf(proxy.field('failover')),
    analytics: proxy.made(analyticsOf(proxy)),
  };
}

/** Exports that are meant to be imported anew say no id: then it is made from the name, the same whenever the file is read. */
function idOf(api: Place): Place {
  const id = api.field('id');
  const name = api.field('name');
  return id.isAbsent && typeof name.value === 'string' ? name.as(slugOf(name.value)) : id;
}

/** The engine that ran it: absent is v3, but for custom resources, whose operator fills in emulation. */
function engineOf(api: Place, holder: SourceApi['holder']): Engine {
  const mode = api.field('execution_mode', 'executionMode');
  const word = mode.text().toLowerCase().replaceAll('_', '-');
  if (word === 'v4-emulation-engine' || word === 'jupiter') return 'v4';
  if (word === '') return holder === 'custom-resource' ? 'v4' : 'v3';
  if (word !== 'v3') mode.note('doubt', 'is no engine; version 2 then takes v3, and so it is here');
  return 'v3';
}

/** What the v3 engine did and is not copied, where it may be missed. */
function noteV3(api: Place, source: SourceApi): void {
  const mode = api.field('execution_mode', 'executionMode');
  const plans = plansInOrder(source).map(({ plan, path }) => new Place(plan, path, new Told()));
  const all = [new Place(source.api, source.at, new Told()), ...plans].map((holder) => holder.field('flows'));
  const isConditional = ({ value }: Place): boolean => typeof value === 'string' && value.trim() !== '';
  if (all.flatMap((flows) => flows.items()).some((flow) => isConditional(flow.field('condition'))))
    mode.note(
      'doubt',
      'v3 asks the conditions of flows once more for the answer; here what they said for the request holds',
    );
  if (all.flatMap(stepsIn).some((step) => changesBodies(step)))
    mode.note(
      'doubt',
      "v3 changes bodies while they flow, when the backend's call is open already; here they are changed before it",
    );
}

function changesBodies(step: Place): boolean {
  const { value } = step.field('configuration');
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? '');
  return isOfBodies(step.field('policy').text()) || /_CONTENT"|ContentScript"/.test(text);
}

/** A list, or a plain map of keys and values. */
function propertiesOf(properties: Place): Tree {
  if (Array.isArray(properties.value)) return properties;
  return properties.made(
    properties
      .members()
      .map(([key, value]) => value.made({ key: value.as(key), value: value.as(value.text()) })),
  );
}

/** Of two with one name the reference keeps the first. */
function resourcesOf(resources: Place): Tree {
  const seen = new Set<unknown>();
  const kept = resources.items().filter((resource) => {
    const { value: name } = resource.field('name');
    resource.leave();
    if (!seen.has(name)) {
      seen.add(name);
      return true;
    }
    resource.note('doubt', 'has the name of another resource; version 2 leaves it out, and so it is here');
    return false;
  });
  return resources.made(kept);
}

/** Its presence turns it on. The circuit is one for all callers; how often it opens stands in no definition of version 2. */
function failoverOf(failover: Place): Tree {
  if (failover.isAbsent) return undefined;
  const cases = failover.field('cases');
  for (const each of Array.isArray(cases.value) ? cases.items() : [cases])
    if (each.text('TIMEOUT').toUpperCase() !== 'TIMEOUT') each.fault('is not one of them; allowed: TIMEOUT');
  failover.leave('enabled');
  return failover.made({
    enabled: true,
    maxRetries: failover.field('maxAttempts', 'max_attempts').number(1),
    slowCallDuration: failover.field('retryTimeout', 'retry_timeout').number(10_000),
    openStateDuration: 10_000,
    maxFailures: 5,
    perSubscription: false,
  });
}
