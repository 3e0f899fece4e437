import { Fault, type FaultDetail } from '../faults/fault.ts';
import { type OrganizationFlowsDefinition, parseOrganizationFlows } from '../model/api/organization-flows.ts';
import {
  parseSharedPolicyGroup,
  type SharedPolicyGroupDefinition,
} from '../model/api/shared-policy-group.ts';
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
  const parsed = parseSharedPolicyGroup(cleaned(input));
  if (parsed.kind === 'group') return parsed.group;
  throw invalid('shared policy group is', parsed.faults);
}

/**
 * Reads the flows of an organization, each in words of version 4 or, as the reference has them there, of version 2 (`pre`, `post`).
 *
 * Errors: request.invalid with a detail per fault, all at once, at the place where it stands in the input.
 */
export function readOrganizationFlows(input: unknown): OrganizationFlowsDefinition {
  const body = cleaned(input);
  if (!isJson(body)) throw invalid("organization's flows are", [{ path: '', message: 'must be an object' }]);
  const isOld = Array.isArray(body['flows']) && body['flows'].some(isOfVersion2);
  const { value, pathOf, faults } = isOld ? inVersion4(body) : asWritten(body);
  const parsed = parseOrganizationFlows(value);
  const found = parsed.kind === 'faults' ? parsed.faults : [];
  const all = [...faults, ...found.map(({ path, message }) => ({ path: pathOf(path), message }))];
  if (parsed.kind === 'faults' || all.length > 0) throw invalid("organization's flows are", all);
  return parsed.definition;
}

interface Opened {
  readonly value: Json;
  readonly pathOf: (path: string) => string;
  readonly faults: readonly FaultDetail[];
}

const asWritten = (value: Json): Opened => ({ value, pathOf: (path) => path, faults: [] });

function inVersion4({ flows, ...rest }: Json): Opened {
  const told = new Told();
  const { value, pathOf } = settle({ flows: flowsOf(new Place(flows, 'flows', told), 'v4', 'fault') });
  const made = isJson(value) ? value : {};
  return { value: { ...rest, ...made }, pathOf, faults: [...told.faults, ...told.unknown()] };
}

const wordsOfVersion2 = ['pre', 'post', 'path-operator', 'pathOperator', 'consumers'];

function isOfVersion2(flow: unknown): boolean {
  return isJson(flow) && wordsOfVersion2.some((word) => Object.hasOwn(flow, word));
}

function invalid(what: string, details: readonly FaultDetail[]): Fault {
  return new Fault('request.invalid', {
    detail: `The ${what} not valid: ${details.length} ${details.length === 1 ? 'fault' : 'faults'}.`,
    details,
  });
}
