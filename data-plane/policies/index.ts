import type { PolicyConfig, PolicyId } from '../../proto/policies/catalog.ts';
import { mock } from './mock.ts';
import type { Policy, PolicyTools } from './policy.ts';
import { rateLimit } from './rate-limit.ts';
import { transformHeaders } from './transform-headers.ts';

/** Policies that are the security of plans; security/plans.ts runs them, since all plans of an API are asked together. */
export type SecurityPolicyId = 'key-less' | 'api-key';
/** Policies that stand as steps in flows. */
export type StepPolicyId = Exclude<PolicyId, SecurityPolicyId>;

/** The code of every step policy; the compiler of a definition looks here and nowhere else. */
export const policies: {
  readonly [Id in StepPolicyId]: (config: PolicyConfig<Id>, tools: PolicyTools<Id>) => Policy;
} = {
  'transform-headers': transformHeaders,
  mock,
  'rate-limit': rateLimit,
};
