import { Fault, type FaultDetail } from '../faults/fault.ts';
import { type OrganizationFlowsDefinition, parseOrganizationFlows } from '../model/api/organization-flows.ts';
import {
  parseSharedPolicyGroup,
  type SharedPolicyGroupDefinition,
} from '../model/api/shared-policy-group.ts';
import { placeOfCondition } from '../model/api-flows.ts';
import { maskFaults } from '../model/secrets/masks.ts';
import { withoutSecretsOf } from '../model/secrets/scrub.ts';
import { cleaned } from './clean.ts';
import { isJson, type Json } from './opened.ts';
import { flowsOf } from './v2/flows.ts';
import { Place, settle, Told } from './v2/place.ts';

/**
 * Reads what several APIs share: a group of policies.
 *
 * Errors: request.invalid with a detail per fault, all at once.
 */
export function readSharedPolicyGroup(input: unknown): SharedPolicyGroupDefinition {
  return withoutSecretsOf(input, () => readGroup(cleaned(input)));
}

function readGroup(body: unknown): SharedPolicyGroupDefinition {
  const parsed = parseSharedPolicyGroup(body);
  const faults = [...(parsed.kind === 'faults' ? parsed.faults : []), ...maskFaults(body)];
  if (parsed.kind === 'faults' || faults.length > 0) throw invalid('shared policy group is', faults);
  return parsed.group;
}

/**
 * Reads the flows of an organization, each in words of version 4 or, as the reference has them there, of version 2 (`pre`, `post`).
 *
 * Errors: request.invalid with a detail per fault, all at once, at the place where it stands in the input.
 */
export function readOrganizationFlows(input: unknown): OrganizationFlowsDefinition {
  return withoutSecretsOf(input, () => readFlows(cleaned(input)));
}

function readFlows(body: unknown): OrganizationFlowsDefinition {
  if (!isJson(body)) throw invalid("organization's flows are", [{ path: '', message: 'must be an object' }]);
  const { value, pathOf, faults } = opened(body);
  const parsed = parseOrganizationFlows(value);
  const found = [...(parsed.kind === 'faults' ? parsed.faults : []), ...maskFaults(value)];
  const all = [...faults, ...found.map(({ path, message }) => ({ path: pathOf(path), message }))];
  if (parsed.kind === 'faults' || all.length > 0) throw invalid("organization's flows are", all);
  return parsed.definition;
}

/** Where a path of flows that were read stands in this input. */
export function placesInOrganizationFlows(input: unknown): (path: string) => string {
  const body = cleaned(input);
  return isJson(body) ? opened(body).pathOf : (path) => path;
}

interface Opened {
  readonly value: Json;
  readonly pathOf: (path: string) => string;
  readonly faults: readonly FaultDetail[];
}

/** Each flow in words of version 4, whatever its own are. */
function opened(body: Json): Opened {
  const { flows, ...rest } = body;
  if (!Array.isArray(flows) || !flows.some(isOfVersion2))
    return { value: body, pathOf: (path) => placeOfCondition(body, path), faults: [] };
  const told = new Told();
  const whole = new Place(flows, 'flows', told);
  const { value, pathOf } = settle({
    flows: flowsOf(whole, 'v4', {
      unreadable: 'fault',
      isNewer: ({ value }) => isJson(value) && !isOfVersion2(value),
    }),
  });
  const made = { ...rest, ...(isJson(value) ? value : {}) };
  return {
    value: made,
    pathOf: (path) => pathOf(placeOfCondition(made, path)),
    faults: [...told.faults, ...told.unknown()],
  };
}

const wordsOfVersion2 = ['pre', 'post', 'path-operator', 'pathOperator', 'consumers'];
const wordsOfVersion4 = ['selectors', 'request', 'response', 'tags'];
const wordsOfBoth = ['condition', 'methods'];

function isOfVersion2(flow: unknown): boolean {
  if (!isJson(flow)) return false;
  const hasAny = (words: readonly string[]): boolean => words.some((word) => Object.hasOwn(flow, word));
  return hasAny(wordsOfVersion2) || (hasAny(wordsOfBoth) && !hasAny(wordsOfVersion4));
}

function invalid(what: string, details: readonly FaultDetail[]): Fault {
  return new Fault('request.invalid', {
    detail: `The ${what} not valid: ${details.length} ${details.length === 1 ? 'fault' : 'faults'}.`,
    details,
  });
}
