import type { PlanDefinition } from '../../proto/model/api.ts';
import type { PolicyConfig, PolicyId } from '../../proto/policies/catalog.ts';
import { cache } from './cache/cache.ts';
import { dynamicRouting } from './dynamic-routing.ts';
import { httpRedirect } from './http-redirect.ts';
import { latency } from './latency.ts';
import { mock } from './mock.ts';
import { assignAttributes } from './policy-assign-attributes.ts';
import { assignContent } from './policy-assign-content.ts';
import { interrupt } from './policy-interrupt.ts';
import { overrideRequestMethod } from './policy-override-request-method.ts';
import type { Policy, PolicyTools } from './policy.ts';
import { sharedPolicyGroupPolicy } from './shared-policy-group-policy.ts';
import { quota } from './limits/quota.ts';
import { rateLimit } from './limits/rate-limit.ts';
import { spikeArrest } from './limits/spike-arrest.ts';
import { statusCode } from './status-code.ts';
import { transformHeaders } from './transform-headers.ts';
import { transformQueryParams } from './transform-queryparams.ts';

/** Policies that stand as steps in flows; the others are the security of plans (`security/`), whose plans are asked together. */
export type StepPolicyId = Exclude<PolicyId, PlanDefinition['security']['type']>;

/** The code of every step policy; the compiler of a definition looks here and nowhere else. */
export const policies: {
  readonly [Id in StepPolicyId]: (config: PolicyConfig<Id>, tools: PolicyTools<Id>) => Policy;
} = {
  'transform-headers': transformHeaders,
  'transform-queryparams': transformQueryParams,
  'policy-assign-attributes': assignAttributes,
  'policy-assign-content': assignContent,
  'policy-override-request-method': overrideRequestMethod,
  'policy-interrupt': interrupt,
  cache,
  latency,
  'dynamic-routing': dynamicRouting,
  'http-redirect': httpRedirect,
  mock,
  'rate-limit': rateLimit,
  'shared-policy-group-policy': sharedPolicyGroupPolicy,
  quota,
  'spike-arrest': spikeArrest,
  'status-code': statusCode,
};

/** Says whether a policy may stand as a step. */
export function isStepPolicyId(id: string): id is StepPolicyId {
  return Object.hasOwn(policies, id);
}
