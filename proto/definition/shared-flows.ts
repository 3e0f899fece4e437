import { Fault } from '../faults/fault.ts';
import {
  parseSharedPolicyGroup,
  type SharedPolicyGroupDefinition,
} from '../model/api/shared-policy-group.ts';
import { cleaned } from './clean.ts';

/**
 * Reads what several APIs share: a group of policies.
 *
 * Errors: request.invalid with a detail per fault, all at once.
 */
export function readSharedPolicyGroup(input: unknown): SharedPolicyGroupDefinition {
  const parsed = parseSharedPolicyGroup(cleaned(input));
  if (parsed.kind === 'group') return parsed.group;
  const { faults } = parsed;
  throw new Fault('request.invalid', {
    detail: `The shared policy group is not valid: ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}.`,
    details: faults,
  });
}
