import type { Lifecycle } from '../proto/process/lifecycle.ts';
import type { AddressProfile } from '../proto/process/outbound/guard.ts';
import type { Outbound } from '../proto/process/outbound/outbound.ts';
import type { OwnDoors } from '../proto/process/outbound/own-doors.ts';
import type { GatewayConfig } from './config.ts';
import type { PolicyOutbound } from './policies/policy.ts';

/** Calls that policies make, from all APIs of this process. */
export interface Callouts extends PolicyOutbound {
  /** Ends those that run. */
  close(): Promise<void>;
}

/** What decides where they may lead beside the lists of the settings. */
interface CalloutsGround {
  readonly doors: OwnDoors;
  /** Default: local, whatever a customer's own network has. */
  readonly profile?: AddressProfile | undefined;
}

/** Longest time to connect. */
const connectMsMax = 5_000;

/** This machine itself is nothing that a proxy leads to. */
const direct = ['localhost', '127.0.0.1', '::1'];

/**
 * The one client for calls of policies. What a definition may have called is what its endpoints may lead to (`upstream.allow`,
 * `upstream.deny`, never `doors`): its author chose both. The way there is that of all calls of this process (`outbound.caFile`, `outbound.proxy`,
 * `outbound.noProxy`), but for this machine itself; behind a proxy it is the proxy that resolves names. An answer is at most
 * `request.bufferedBytesMax` long.
 *
 * It is loaded with the first call: most gateways make none.
 */
export function createCallouts(
  { upstream, request, outbound }: Pick<GatewayConfig, 'upstream' | 'request' | 'outbound'>,
  { onReload }: Pick<Lifecycle, 'onReload'>,
  { doors, profile = 'local' }: CalloutsGround,
): Callouts {
  let client: Promise<Outbound> | undefined;
  const open = async (): Promise<Outbound> => {
    const { createOutbound, createTlsReload, toOutboundOptions } =
      await import('../proto/process/outbound/outbound.ts');
    // Not the certificate: it proves to the bridge who this is, and is shown to nobody whom a definition names.
    const settings = { ...outbound, certFile: undefined, keyFile: undefined };
    const { ca, proxy, noProxy = [] } = toOutboundOptions(settings, profile);
    const made = createOutbound({
      profile,
      ca,
      proxy,
      noProxy: [...noProxy, ...direct],
      allow: upstream.allow,
      deny: upstream.deny,
      doors,
      setting: 'upstream',
      connectMsMax,
      responseBytesMax: request.bufferedBytesMax,
    });
    onReload('authorities of calls of policies', createTlsReload(made, settings));
    return made;
  };
  return {
    async request(url, options) {
      client ??= open().catch((error: unknown) => {
        // Files that cannot be read now may be there for the next call.
        client = undefined;
        throw error;
      });
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
