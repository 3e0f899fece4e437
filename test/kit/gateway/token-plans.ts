import type { TestContext } from 'node:test';

import { startUpstream } from '../servers/upstream.ts';
import { apiDefinition, type GatewayWish, startLocalGateway } from './gateway.ts';
import type { Issuer } from './issuer.ts';

/** Options of a call with a token. */
export const bearer = (token: string): { headers: Record<string, string> } => ({
  headers: { authorization: `Bearer ${token}` },
});
/** A JWT plan. */
export const plan = (configuration: object, extra: object = {}): object => ({
  name: 'JWT',
  security: { type: 'JWT', configuration },
  ...extra,
});
/** Its configuration, with the key of an issuer. */
export const given = (by: Issuer, extra: object = {}): object => ({
  signature: by.algorithm.startsWith('R') ? `RSA_${by.algorithm}` : by.algorithm,
  publicKeyResolver: 'GIVEN_KEY',
  resolverParameter: by.publicKey,
  ...extra,
});

/**
 * A gateway with one API per plan's configuration; the client `client` has subscribed to the plan `tokens` of each.
 */
export async function startTokenGateway(
  t: TestContext,
  plans: Readonly<Record<string, object>>,
  wish: Partial<GatewayWish> & { readonly flows?: readonly object[] } = {},
) {
  const upstream = await startUpstream(t);
  const { flows = [], subscriptions = [], ...more } = wish;
  return startLocalGateway(t, {
    apis: Object.fromEntries(
      Object.entries(plans).map(([id, configuration]) => [
        id,
        apiDefinition(id, upstream.url, { plans: { tokens: plan(configuration) }, flows }),
      ]),
    ),
    subscriptions: [
      ...Object.keys(plans).map((api) => ({
        id: `of-${api}`,
        api,
        plan: 'tokens',
        application: 'app',
        clientId: 'client',
      })),
      ...subscriptions,
    ],
    ...more,
  });
}
