import { policySchema } from '../../policies/catalog.ts';
import { sharedConfigurationSchema } from '../api-endpoints.ts';
import type { StepDefinition } from '../api-flows.ts';
import type { ApiDefinition } from '../api-schema.ts';
import { flowListsOf, stepsOf } from './steps.ts';

/** A part of a definition that loads and does nothing, or not what whoever wrote it may think; the message completes a sentence that begins with the path. */
export interface IdlePart {
  readonly path: string;
  readonly kind: 'idle' | 'doubt';
  readonly message: string;
}

/** Parts of an API that no request will meet, as far as the definition alone tells: somebody who moves over wants to know before his callers do. */
export function idleParts(api: ApiDefinition): readonly IdlePart[] {
  return [
    ...unusedResources(api),
    ...idlePlans(api),
    ...idleGroups(api),
    ...idleFlows(api),
    ...(api.engine === undefined
      ? []
      : [
          doubt(
            'engine',
            'is run by gateways of files; a control plane refuses it: isthmus convert --emulate writes one that it takes',
          ),
        ]),
    ...api.listeners.flatMap(({ cors }, l) =>
      cors?.enabled === true && cors.allowOrigin.length === 0 && cors.allowOriginRegex.length === 0
        ? [doubt(`listeners[${l}].cors.allowOrigin`, 'is empty: no page of any origin may call')]
        : [],
    ),
  ];
}

/** What an override is that says nothing. */
const nothingOverridden = JSON.stringify(sharedConfigurationSchema.partial().parse({}));

const idle = (path: string, message: string): IdlePart => ({ path, kind: 'idle', message });
const doubt = (path: string, message: string): IdlePart => ({ path, kind: 'doubt', message });

function unusedResources(api: ApiDefinition): readonly IdlePart[] {
  const used = new Set<unknown>();
  const use = (policy: string, configuration: StepDefinition['configuration']): void => {
    const values = new Map(Object.entries(configuration));
    for (const { field } of policySchema(policy)?.uses ?? [])
      for (const name of [values.get(field)].flat()) used.add(name);
  };
  for (const { security, status } of api.plans)
    if (status !== 'closed') use(security.type, security.configuration);
  for (const { step } of stepsOf(api)) use(step.policy, step.configuration);
  return api.resources.flatMap(({ name, enabled }, r) =>
    enabled && !used.has(name) ? [idle(`resources[${r}]`, 'is used by no plan and no step')] : [],
  );
}

/** The first keyless plan lets everybody in whom no rule keeps out: no other one has a turn behind it. */
function idlePlans({ plans }: ApiDefinition): readonly IdlePart[] {
  const served = plans.map(({ status }) => status === 'published' || status === 'deprecated');
  const open = plans.findIndex(
    ({ security, selectionRule, tags }, p) =>
      served[p] === true && security.type === 'key-less' && selectionRule.trim() === '' && tags.length === 0,
  );
  const chosen = plans.findIndex(
    ({ security, selectionRule }, p) =>
      served[p] === true && security.type !== 'key-less' && selectionRule.trim() !== '',
  );
  const openToAll =
    open === -1 || chosen === -1
      ? []
      : [
          doubt(
            `plans[${open}]`,
            `is keyless: it also serves whoever comes with a credential for which the selection rule of plans[${chosen}] does not hold, or cannot be told, a wrong one too`,
          ),
        ];
  const others = plans.flatMap(({ status, security }, p) => {
    if (status === 'staging') return [idle(`plans[${p}]`, 'is in STAGING, which no gateway serves')];
    if (served[p] !== true || security.type !== 'key-less' || open === -1 || p <= open) return [];
    return [
      doubt(
        `plans[${p}]`,
        `lets nobody in: plans[${open}] is keyless as well, and takes everybody before it`,
      ),
    ];
  });
  return [...openToAll, ...others];
}

function idleGroups(api: ApiDefinition): readonly IdlePart[] {
  const groups = api.endpointGroups;
  const first = groups.findIndex(
    ({ endpoints, services }) => endpoints.length > 0 || services?.discovery !== undefined,
  );
  const said = JSON.stringify(flowListsOf(api).map(({ flows }) => flows));
  // What a name is put together from cannot be told here.
  const mayBeAny = /#endpoints(?!\[\s*'[^']*'\s*\]|\.\w)/.test(said) || /request\.endpoint/.test(said);
  return groups.flatMap((group, g): readonly IdlePart[] => {
    const at = `endpointGroups[${g}]`;
    const isFound = group.services?.discovery !== undefined;
    if (group.endpoints.length === 0 && !isFound) return [idle(at, 'has no endpoints, and finds none')];
    const isNamed = [group, ...group.endpoints].some(({ name }) =>
      said.includes(JSON.stringify(name).slice(1, -1)),
    );
    const isUsed = g === first || isFound || mayBeAny || isNamed;
    const unused = isUsed
      ? []
      : [
          doubt(
            at,
            'gets no request: all go to the first group that has endpoints, and no step names this one',
          ),
        ];
    return [
      ...unused,
      ...group.endpoints.flatMap(({ inheritConfiguration, sharedConfigurationOverride, weight }, e) => [
        ...(inheritConfiguration && JSON.stringify(sharedConfigurationOverride) !== nothingOverridden
          ? [
              doubt(
                `${at}.endpoints[${e}].sharedConfigurationOverride`,
                'does not count while inheritConfiguration is true: the configuration of the group does',
              ),
            ]
          : []),
        ...(weight !== 1 && !group.loadBalancer.type.startsWith('weighted')
          ? [idle(`${at}.endpoints[${e}].weight`, `does not count for ${group.loadBalancer.type}`)]
          : []),
      ]),
    ];
  });
}

function idleFlows(api: ApiDefinition): readonly IdlePart[] {
  const contexts = api.listeners
    .flatMap(({ paths }) => paths.map(({ path }) => path.replace(/\/+$/, '')))
    .filter((path) => path !== '');
  return flowListsOf(api).flatMap(({ at, flows }) =>
    flows.flatMap(({ enabled, selectors }, f) => {
      if (!enabled) return [];
      return selectors.flatMap((selector, s): readonly IdlePart[] => {
        const place = `${at}[${f}].selectors[${s}]`;
        if (selector.type === 'condition')
          return selector.condition.trim() === 'false' ? [idle(`${place}.condition`, 'never holds')] : [];
        const own = contexts.find(
          (context) => selector.path === context || selector.path.startsWith(`${context}/`),
        );
        return own === undefined
          ? []
          : [
              doubt(
                `${place}.path`,
                `begins with the path of the API itself, and is counted from there: it fits ${own}${selector.path}`,
              ),
            ];
      });
    }),
  );
}
