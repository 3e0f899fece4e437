import type { PolicyFactory } from './policy.ts';

/**
 * What stands where a shared policy group should stand and does not: it lets nobody pass.
 *
 * A group that is there never comes here: its steps are compiled in its place (`gateway/compile/step.ts`).
 */
export const sharedPolicyGroupPolicy: PolicyFactory<'shared-policy-group-policy'> = (
  _config,
  { refuse, place },
) => {
  const missing = refuse('SHARED_POLICY_GROUP_MISSING');
  const hook = { needs: 'head', run: () => missing } as const;
  return place.phase === 'request' ? { request: hook } : { response: hook };
};
