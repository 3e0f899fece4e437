import type { LogMasks } from '../../policies/policy.ts';
import type { Step } from '../compile/step.ts';
import type { Steps } from '../compile/pipeline.ts';

/** What of a call decides which steps mask what is logged of it. */
interface MaskedCall {
  readonly deployed: {
    readonly compiled: { readonly logging: { readonly masking: readonly Step[] } | undefined } | undefined;
  };
  readonly organizationFlows: { readonly masking: readonly Step[] } | undefined;
  /** Undefined where it was refused before its flows were known. */
  readonly steps: Steps | undefined;
  /** Steps that mask and whose condition did not hold. */
  readonly unmasked: ReadonlySet<Step> | undefined;
}

/** Steps that mask, of all flows of an API, or of an organization. */
export const maskingIn = (steps: readonly Step[]): readonly Step[] =>
  steps.filter(({ policy }) => policy.masks !== undefined);

const none: readonly LogMasks[] = [];

/**
 * What is hidden in the log of a call: by each step of its flows whose condition did not say otherwise, whether it was reached or the call
 * was refused before; by those of all flows where it was refused before they were known.
 */
export function masksOf({ deployed, organizationFlows, steps, unmasked }: MaskedCall): readonly LogMasks[] {
  const ofApi = deployed.compiled?.logging?.masking ?? [];
  const ofOrganization = organizationFlows?.masking ?? [];
  if (ofApi.length === 0 && ofOrganization.length === 0) return none;
  const chosen = steps === undefined ? ofApi : maskingIn([...steps.request, ...steps.response]);
  return [...ofOrganization, ...chosen].flatMap((step) =>
    step.policy.masks === undefined || unmasked?.has(step) === true ? [] : [step.policy.masks],
  );
}
