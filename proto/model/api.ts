import type { z } from 'zod';

import { Fault, type FaultDetail } from '../faults/fault.ts';
import { checkFlows, checkReadableFlows, type FlowDefinition, flowsSchema } from './api-flows.ts';
import { apiLimits } from './api-limits.ts';
import { checkPlan, checkReadablePlans, type PlanDefinition, planSchema } from './api-plans.ts';
import { type ApiDefinition, apiSchema } from './api-schema.ts';
import { detailsOf } from '../faults/issues.ts';

export type { CorsDefinition } from './api-listeners.ts';
export type { EndpointDefinition, EndpointGroupDefinition, SharedConfiguration } from './api-endpoints.ts';
export { configurationOf } from './api-endpoints.ts';
export type { FlowDefinition, StepDefinition } from './api-flows.ts';
export type { PlanDefinition } from './api-plans.ts';
export type { ResponseTemplate } from './api-templates.ts';
export type { ApiDefinition } from './api-schema.ts';
export { toManagementApi, toManagementPlan } from './api-management.ts';

/**
 * Reads an API definition of version 4 in any of the reference's spellings into the one canonical shape.
 *
 * Shape:  a gateway payload ({gravitee: '4.0.0', type: 'proxy', plans: {id: ...}}), an API of the management API
 *         ({definitionVersion: 'V4', type: 'PROXY', plans: [...]}), an export ({api: {...}, plans: [...]}), or a
 *         canonical definition again.
 * Errors: request.invalid with a detail per fault: what is unknown, and what this version does not run, is named with its
 *         path (in the spelling of the input) and what is allowed, never ignored.
 */
export function parseApiDefinition(input: unknown): ApiDefinition {
  const { body, prefix, planPaths } = unwrap(input);
  const parsed = apiSchema.safeParse(body);
  // A list of plans that came as a map is named by the map's keys, and an envelope's API by `api`.
  const rename = (detail: FaultDetail): FaultDetail => ({
    path: renamePath(detail.path, prefix, planPaths),
    message: detail.message,
  });
  if (!parsed.success) {
    const details = [
      ...detailsOf(parsed.error.issues),
      ...checkReadableFlows(body['flows'], 'flows'),
      ...checkReadablePlans(body['plans']),
    ];
    throw invalid(details.map(rename));
  }
  const definition = canonical(parsed.data);
  const details = [
    ...checkPaths(definition),
    ...checkNames(definition),
    ...checkFlows(definition.flows, 'flows'),
    ...definition.plans.flatMap((plan, index) => checkPlan(plan, `plans[${index}]`)),
  ];
  if (details.length > 0) throw invalid(details.map(rename));
  return definition;
}

/**
 * Reads a list of flows, as the management API has them in APIs and plans.
 *
 * Errors: request.invalid with paths that start with `at`.
 */
export function parseFlows(input: unknown, at = 'flows'): readonly FlowDefinition[] {
  const parsed = flowsSchema.safeParse(withoutNulls(input, 0) ?? []);
  if (!parsed.success) throw invalid(detailsOf(parsed.error.issues, at));
  const details = checkFlows(parsed.data, at);
  if (details.length > 0) throw invalid(details);
  return parsed.data.map(copy);
}

/** Reads one plan in either spelling; errors as {@link parseApiDefinition}. */
export function parsePlanDefinition(input: unknown): PlanDefinition {
  const parsed = planSchema.safeParse(withoutNulls(input, 0));
  if (!parsed.success) throw invalid(detailsOf(parsed.error.issues));
  const plan: PlanDefinition = copy(parsed.data);
  const details = checkPlan(plan, '').map(({ path, message }) => ({
    path: path.replace(/^\./, ''),
    message,
  }));
  if (details.length > 0) throw invalid(details);
  return plan;
}

function invalid(details: readonly FaultDetail[]): Fault {
  return new Fault('request.invalid', {
    detail: `The API definition is not valid: ${details.length} ${details.length === 1 ? 'fault' : 'faults'}.`,
    details,
  });
}

/** Drops what the parser made `undefined`, so that the same definition always is the same JSON. */
function canonical(parsed: z.output<typeof apiSchema>): ApiDefinition {
  return copy(parsed) as ApiDefinition;
}

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

interface Unwrapped {
  readonly body: Readonly<Record<string, unknown>>;
  readonly prefix: string;
  readonly planPaths: readonly string[];
}

/** Takes an export out of its envelope and gives version and plans one form. */
function unwrap(input: unknown): Unwrapped {
  const outer = withoutNulls(input, 0);
  const halves = illFormedPaths(outer, '');
  if (halves.length > 0) throw invalid(halves.map((path) => ({ path, message: illFormedMessage })));
  if (!isRecord(outer)) throw invalid([{ path: '', message: 'must be an API definition: an object' }]);
  const other = otherFormat(outer);
  if (other !== undefined) throw invalid([other]);
  const isEnvelope = isRecord(outer['api']) && outer['listeners'] === undefined;
  const api = isEnvelope && isRecord(outer['api']) ? outer['api'] : outer;
  if (isEnvelope) refuseUnknown(outer);
  const { definitionVersion, gravitee, ...rest } = api;
  const plans = isEnvelope ? (outer['plans'] ?? api['plans']) : api['plans'];
  const list = plans === undefined ? undefined : inOrder(plans);
  const version = gravitee ?? definitionVersion;
  // Of another version every field would be named as unknown, which helps nobody.
  if (version !== 'V4' && version !== '4.0.0') {
    const path = isEnvelope
      ? 'api.definitionVersion'
      : gravitee === undefined
        ? 'definitionVersion'
        : 'gravitee';
    throw invalid([
      {
        path,
        message: `${version === undefined ? 'is required' : 'is not supported by this version'}; allowed: V4, 4.0.0`,
      },
    ]);
  }
  return {
    body: {
      ...rest,
      gravitee: version,
      ...(list === undefined ? {} : { plans: list.map(({ plan }) => plan) }),
    },
    prefix: isEnvelope ? 'api' : '',
    planPaths: list?.map(({ path }) => path) ?? [],
  };
}

/** What people also have in files beside definitions, by its name: every field of it would be named as unknown, which helps nobody. */
function otherFormat(outer: Readonly<Record<string, unknown>>): FaultDetail | undefined {
  const named = (path: string, what: string): FaultDetail => ({
    path,
    message: `this is ${what}, which this version does not read; export the API as version 4 (definitionVersion V4) instead`,
  });
  const { apiVersion, kind } = outer;
  if (typeof apiVersion === 'string' && typeof kind === 'string' && isRecord(outer['spec']))
    return named('kind', `a custom resource of Kubernetes (${kind})`);
  if (typeof outer['openapi'] === 'string') return named('openapi', 'an OpenAPI document');
  if (typeof outer['swagger'] === 'string') return named('swagger', 'an OpenAPI document of version 2');
  const isOld = outer['listeners'] === undefined && outer['api'] === undefined;
  const gravitee = outer['gravitee'] ?? outer['definitionVersion'];
  if (gravitee === '2.0.0' || gravitee === 'V2') {
    const path = outer['gravitee'] === undefined ? 'definitionVersion' : 'gravitee';
    return named(path, 'a definition of version 2');
  }
  if (isOld && isRecord(outer['proxy']))
    return named('proxy', `a definition of version ${outer['paths'] === undefined ? 2 : 1}`);
  return gravitee === '1.0.0' || gravitee === 'V1'
    ? named('gravitee', 'a definition of version 1')
    : undefined;
}

const envelopeKeys = new Set([
  'api',
  'plans',
  'members',
  'metadata',
  'pages',
  'apiPicture',
  'apiBackground',
  'apiMedia',
  'groups',
  'primaryOwner',
  'export',
]);

function refuseUnknown(envelope: Readonly<Record<string, unknown>>): void {
  const unknown = Object.keys(envelope).filter((key) => !envelopeKeys.has(key));
  if (unknown.length === 0) return;
  const message = `is unknown; allowed: ${[...envelopeKeys].join(', ')}`;
  throw invalid(unknown.map((path) => ({ path, message })));
}

/** Exports say the order of plans in a field; those without it keep theirs. Each plan keeps the path it came from. */
function inOrder(plans: unknown): readonly { readonly plan: unknown; readonly path: string }[] {
  const place = ({ plan }: { readonly plan: unknown }): number =>
    isRecord(plan) && typeof plan['order'] === 'number' ? plan['order'] : Number.MAX_SAFE_INTEGER;
  if (Array.isArray(plans)) {
    return plans
      .map((plan: unknown, index) => ({ plan, path: `plans[${index}]` }))
      .toSorted((a, b) => place(a) - place(b));
  }
  if (!isRecord(plans)) throw invalid([{ path: 'plans', message: 'must be a list or a map of plans' }]);
  return Object.entries(plans)
    .map(([id, plan]) => ({ plan: isRecord(plan) ? { id, ...plan } : plan, path: `plans.${id}` }))
    .toSorted((a, b) => place(a) - place(b));
}

function renamePath(path: string, prefix: string, planPaths: readonly string[]): string {
  const plan = /^plans\[(\d+)\](.*)$/s.exec(path);
  if (plan === null) return prefix === '' || path.startsWith('plans') ? path : `${prefix}.${path}`;
  return `${planPaths[Number(plan[1])] ?? `plans[${plan[1]}]`}${plan[2] ?? ''}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const illFormedMessage =
  'holds half a character (a lone surrogate), which is no text: it cannot be written in UTF-8';

/** Paths of all texts and keys that are no text, though JSON can spell them: `\\ud800`. */
function illFormedPaths(value: unknown, at: string): readonly string[] {
  if (typeof value === 'string') return value.isWellFormed() ? [] : [at];
  if (Array.isArray(value)) return value.flatMap((item, index) => illFormedPaths(item, `${at}[${index}]`));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const path = at === '' ? key : `${at}.${key}`;
    return key.isWellFormed() ? illFormedPaths(item, path) : [path];
  });
}

/** JSON writers of the reference spell "absent" as null; here a key with null is an absent key. */
function withoutNulls(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  if (depth > apiLimits.depthMax) {
    throw invalid([{ path: '', message: `is nested deeper than ${apiLimits.depthMax} levels` }]);
  }
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [key, withoutNulls(item, depth + 1)]),
  );
}

function checkPaths(definition: ApiDefinition): readonly FaultDetail[] {
  const seen = new Set<string>();
  return definition.listeners.flatMap((listener, l) =>
    listener.paths.flatMap((entry, p) => {
      const key = `${entry.host ?? ''} ${entry.path}`;
      if (!seen.has(key)) {
        seen.add(key);
        return [];
      }
      return [{ path: `listeners[${l}].paths[${p}]`, message: 'is there twice' }];
    }),
  );
}

function checkNames(definition: ApiDefinition): readonly FaultDetail[] {
  const groups = definition.endpointGroups.map(({ name }, g) => ({
    name,
    path: `endpointGroups[${g}].name`,
  }));
  const endpoints = definition.endpointGroups.flatMap((group, g) =>
    group.endpoints.map(({ name }, e) => ({ name, path: `endpointGroups[${g}].endpoints[${e}].name` })),
  );
  const plans = definition.plans.map(({ id }, index) => ({ name: id, path: `plans[${index}].id` }));
  return [...twice(groups), ...twice(endpoints), ...twice(plans)];
}

function twice(names: readonly { readonly name: string; readonly path: string }[]): readonly FaultDetail[] {
  const seen = new Set<string>();
  return names.flatMap(({ name, path }) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ path, message: `"${name}" is there twice; names are unique within an API` }];
  });
}
