import type { ExchangeRequest } from '../../http/exchange.ts';
import type { PolicyRequest } from '../../policies/policy.ts';
import type { CompiledPlan } from '../compile/compile.ts';
import type { Steps } from '../compile/pipeline.ts';
import type { DeployedApi } from '../deploy/deployed.ts';
import type { Subscription } from '../../security/subscriptions.ts';

/** The attributes that policies find on a request, under the reference's names. */
export function createAttributes(of: {
  readonly exchange: { readonly request: ExchangeRequest };
  readonly steps: Steps | undefined;
  readonly mappedPath: string | undefined;
  readonly request: PolicyRequest;
  readonly plan: CompiledPlan | undefined;
  readonly subscription: Subscription | undefined;
  readonly proof: unknown;
  readonly deployed: DeployedApi;
}): Map<string, unknown> {
  const { request, plan, subscription, proof, deployed, steps, mappedPath, exchange } = of;
  const { scheme, authority, path, query, method } = exchange.request;
  return new Map<string, unknown>([
    ['organization', deployed.organization],
    ['environment', deployed.environment],
    ['api', deployed.id],
    ['api.name', deployed.name],
    ['context-path', `${request.contextPath}/`],
    ['resolved-path', steps?.path],
    ['mapped-path', mappedPath],
    ['request.method', method],
    ['request.original-url', `${scheme}://${authority}${path}${query === undefined ? '' : `?${query}`}`],
    ['plan', plan?.id],
    ['application', subscription?.application ?? '1'],
    ['subscription-id', subscription?.id],
    ['user-id', subscription?.id ?? request.remoteAddress],
    ...(plan?.security.attributes?.(proof) ?? []),
  ]);
}
