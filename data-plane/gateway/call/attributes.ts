import type { PolicyRequest } from '../../policies/policy.ts';
import type { CompiledPlan } from '../compile/compile.ts';
import type { DeployedApi } from '../deploy/deployed.ts';
import type { Subscription } from '../../security/subscriptions.ts';

/** The attributes that policies find on a request, under the reference's names. */
export function createAttributes(of: {
  readonly request: PolicyRequest;
  readonly plan: CompiledPlan | undefined;
  readonly subscription: Subscription | undefined;
  readonly proof: unknown;
  readonly deployed: DeployedApi;
}): Map<string, unknown> {
  const { request, plan, subscription, deployed, proof } = of;
  return new Map<string, unknown>([
    ['api', deployed.id],
    ['api.name', deployed.name],
    ['context-path', `${request.contextPath}/`],
    ['plan', plan?.id],
    ['application', subscription?.application ?? '1'],
    ['subscription-id', subscription?.id],
    ['user-id', subscription?.id ?? request.remoteAddress],
    ...(plan?.security.attributes?.(proof) ?? []),
  ]);
}
