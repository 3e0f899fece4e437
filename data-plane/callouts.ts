import type { Outbound } from '../proto/process/outbound/outbound.ts';
import type { GatewayConfig } from './config.ts';
import type { PolicyOutbound } from './policies/policy.ts';

/** Calls that policies make, from all APIs of this process. */
export interface Callouts extends PolicyOutbound {
  /** Ends those that run. */
  close(): Promise<void>;
}

/** Longest time to connect. */
const connectMsMax = 5_000;

/**
 * The one client for calls of policies. What a definition may have called is what its endpoints may lead to (`upstream.allow`,
 * `upstream.deny`): its author chose both. An answer is at most `request.bufferedBytesMax` long.
 *
 * It is loaded with the first call: most gateways make none.
 */
export function createCallouts({ upstream, request }: Pick<GatewayConfig, 'upstream' | 'request'>): Callouts {
  let client: Promise<Outbound> | undefined;
  const open = async (): Promise<Outbound> => {
    const { createOutbound } = await import('../proto/process/outbound/outbound.ts');
    return createOutbound({
      profile: 'local',
      allow: upstream.allow,
      deny: upstream.deny,
      setting: 'upstream',
      connectMsMax,
      responseBytesMax: request.bufferedBytesMax,
    });
  };
  return {
    async request(url, options) {
      client ??= open();
      return (await client).request(url, options);
    },
    async close() {
      await (await client)?.close();
    },
  };
}

/** For whoever only judges definitions: a factory that calls somebody is a bug. */
export const noCallouts: PolicyOutbound = {
  request: () => Promise.reject(new Error('who compiles a definition calls nobody')),
};
