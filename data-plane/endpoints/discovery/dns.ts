import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

import { apiLimits } from '../../../proto/model/api-limits.ts';
import type { DiscoveryDefinition } from '../../../proto/model/api.ts';
import type { Guard } from '../../../proto/process/outbound/guard.ts';
import { type Answer, type FoundEndpoint, judged, type Source } from './found.ts';
import type { DiscoverySettings } from './seeking.ts';

type DnsDefinition = Extract<
  DiscoveryDefinition,
  { readonly type: 'dns-service-discovery' }
>['configuration'];

/** What asking DNS needs. */
export interface DnsTools {
  readonly settings: DiscoverySettings['dns'];
  readonly guard: Guard;
}

/** Names that one SRV answer may lead to; each is asked for its addresses. */
const namesMax = 64;
const triesMax = 2;
/** A name that does not exist, or has no such records: the server has answered, and there is nobody. */
const nobody: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

interface Address {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/**
 * Asks DNS for the addresses behind a name: A or AAAA, each of which is an endpoint, or SRV, whose names are asked for their addresses.
 *
 * Of SRV the lowest priority gets requests and the others are secondary; weights are theirs. Answers are asked for again when the first of
 * their addresses is out of date (the runtime does not tell the time to live of SRV records), within the gateway's bounds.
 */
export function createDnsSource(definition: DnsDefinition, { settings, guard }: DnsTools): Source {
  const resolver = new Resolver({ timeout: settings.answerMsMax, tries: triesMax });
  if (settings.servers.length > 0) resolver.setServers(settings.servers);
  const ask = async (): Promise<Answer> => {
    const { said, odd, ttlS } = await (definition.record === 'srv'
      ? askServices(resolver, definition)
      : askAddresses(resolver, definition));
    const { endpoints, leftOut } = judged(said, guard);
    const ttlMs = ttlS === undefined ? settings.ttlMsMin : ttlS * 1_000;
    const againMs = Math.min(settings.ttlMsMax, Math.max(settings.ttlMsMin, ttlMs));
    return { kind: 'found', endpoints, leftOut: [...odd, ...leftOut], againMs };
  };
  return {
    async ask(signal) {
      const cancel = (): void => resolver.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return await ask();
      } catch (error) {
        if (!isLookUpError(error)) throw error;
        if (!nobody.has(error.code)) return { kind: 'failed', why: `DNS: ${definition.host}: ${error.code}` };
        const why = `DNS: ${definition.host} has no ${definition.record.toUpperCase()} records (${error.code})`;
        return { kind: 'found', endpoints: [], leftOut: [why], againMs: settings.ttlMsMin };
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
    close: () => resolver.cancel(),
  };
}

interface Said {
  readonly said: readonly FoundEndpoint[];
  readonly odd: readonly string[];
  /** The shortest; undefined where nothing has one. */
  readonly ttlS: number | undefined;
}

async function askAddresses(resolver: Resolver, definition: DnsDefinition): Promise<Said> {
  const { host, record, port } = definition;
  const addresses = await (record === 'aaaa'
    ? resolver.resolve6(host, { ttl: true })
    : resolver.resolve4(host, { ttl: true }));
  const server = { name: host, port, weight: 1, secondary: false };
  return {
    said: addresses.map(({ address }) => endpointOf(definition, server, address)),
    odd: [],
    ttlS: shortest(addresses),
  };
}

async function askServices(resolver: Resolver, definition: DnsDefinition): Promise<Said> {
  const records = (await resolver.resolveSrv(definition.host))
    // RFC 2782: a single dot says that there is none.
    .filter(({ name, port }) => name !== '' && name !== '.' && port > 0);
  const first = Math.min(...records.map(({ priority }) => priority));
  const asked = records
    .toSorted((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1))
    .slice(0, namesMax);
  const all = await Promise.all(
    asked.map(async ({ name, port, priority, weight }) => ({
      server: {
        name,
        port,
        weight: Math.min(apiLimits.weightMax, Math.max(1, weight)),
        secondary: priority > first,
      },
      addresses: await addressesOf(resolver, name),
    })),
  );
  const more = records.length - asked.length;
  return {
    said: all.flatMap(({ server, addresses }) =>
      addresses.map(({ address }) => endpointOf(definition, server, address)),
    ),
    odd: [
      ...all.flatMap(({ server, addresses }) =>
        addresses.length === 0 ? [`${server.name} has no address`] : [],
      ),
      ...(more > 0 ? [`${more} names are left out: one answer leads to at most ${namesMax}`] : []),
    ],
    ttlS: shortest(all.flatMap(({ addresses }) => addresses)),
  };
}

/** Of both families; none where there are none. */
async function addressesOf(resolver: Resolver, name: string): Promise<readonly Address[]> {
  const noneOrThrow = (error: unknown): readonly Address[] => {
    if (isLookUpError(error) && nobody.has(error.code)) return [];
    throw error;
  };
  const both = await Promise.all([
    resolver.resolve4(name, { ttl: true }).catch(noneOrThrow),
    resolver.resolve6(name, { ttl: true }).catch(noneOrThrow),
  ]);
  return both.flat();
}

/** It is called and recognised by its name, and dialled at its address. */
function endpointOf(
  { scheme, path }: DnsDefinition,
  server: {
    readonly name: string;
    readonly port: number | undefined;
    readonly weight: number;
    readonly secondary: boolean;
  },
  address: string,
): FoundEndpoint {
  const port = server.port === undefined ? '' : `:${server.port}`;
  return {
    name: `dns#${isIP(address) === 6 ? `[${address}]` : address}${port}`,
    target: `${scheme}://${server.name.replace(/\.$/, '')}${port}${path}`,
    address,
    weight: server.weight,
    secondary: server.secondary,
    tenants: [],
  };
}

function shortest(addresses: readonly Address[]): number | undefined {
  return addresses.length === 0 ? undefined : Math.min(...addresses.map(({ ttl }) => ttl));
}

function isLookUpError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
