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
  const url = `${scheme}://${authority}${path}`;
  const attributes = new Map<string, unknown>();
  attributes.set('organization', deployed.organization);
  attributes.set('environment', deployed.environment);
  attributes.set('api', deployed.id);
  attributes.set('api.name', deployed.name);
  attributes.set('context-path', `${request.contextPath}/`);
  attributes.set('resolved-path', steps?.path);
  attributes.set('mapped-path', mappedPath);
  attributes.set('request.method', method);
  attributes.set('request.original-url', query === undefined ? url : `${url}?${query}`);
  attributes.set('plan', plan?.id);
  attributes.set('application', subscription?.application ?? '1');
  attributes.set('subscription-id', subscription?.id);
  attributes.set('user-id', subscription?.id ?? request.remoteAddress);
  for (const [name, value] of plan?.security.attributes?.(proof) ?? []) attributes.set(name, value);
  return attributes;
}
