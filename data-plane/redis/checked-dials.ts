import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type LookupFunction } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import {
  AbstractConnector,
  type SentinelConnectionOptions,
  SentinelConnector,
  SentinelIterator,
} from 'ioredis';

import { checkedLookup } from '../../proto/process/outbound/dial.ts';
import { type Guard, refusedAddress } from '../../proto/process/outbound/guard.ts';

/**
 * Ways of the client to its servers on which every address is asked about, whoever said it: a definition, the resolver, a sentinel. A
 * name may lead elsewhere tomorrow, so it is asked about at each connection and not once.
 */

interface Server {
  readonly host: string;
  readonly port: number;
}

interface OneServer extends Partial<Server> {
  readonly tls?: ConnectionOptions;
}

/** How long a connection has to end. */
const disconnectMsMax = 2_000;
const ports = { server: 6_379, sentinel: 26_379 };

/** To one server. */
export function checkedConnector(guard: Guard) {
  return class extends AbstractConnector {
    readonly #options: OneServer;

    /** options: the client's own, which include these. */
    constructor(options: unknown) {
      super(disconnectMsMax);
      this.#options = options as OneServer;
    }

    async connect(): ReturnType<AbstractConnector['connect']> {
      const { host = 'localhost', port = ports.server, tls } = this.#options;
      this.connecting = true;
      const way = wayTo({ host, port }, guard);
      this.stream = tls === undefined ? connectTcp(way) : connectTls({ ...way, ...tls });
      this.stream.once('error', (error: Error) => (this.firstError = error));
      return this.stream;
    }
  };
}

/** To sentinels, and to whom they call the master. Sentinels that only they know are not asked. */
export function checkedSentinels(guard: Guard) {
  return class extends SentinelConnector {
    readonly #nodes: readonly Server[];

    constructor(options: unknown) {
      const own = options as SentinelConnectionOptions;
      const nodes = (own.sentinels ?? []).map(({ host = 'localhost', port = ports.sentinel }) => ({
        host,
        port,
      }));
      super({ ...own, updateSentinels: false, natMap: (address) => wayTo(serverOf(address), guard) });
      this.#nodes = nodes;
      // The client asks the sentinels by itself: with TLS it passes on how names are looked up, and needs them for their certificates.
      if (own.sentinelTLS !== undefined)
        this.options.sentinelTLS = { ...own.sentinelTLS, ...lookingUp(nodes, guard) };
    }

    override async connect(emit: Parameters<SentinelConnector['connect']>[0]) {
      const isTls = this.options.sentinelTLS !== undefined;
      this.connecting = true;
      const asked = await Promise.allSettled(
        this.#nodes.map(async (node) => (isTls ? [wayTo(node, guard)] : addressesOf(node, guard))),
      );
      const nodes = asked.flatMap((found) => (found.status === 'fulfilled' ? found.value : []));
      // Who was told to end meanwhile would be connected for ever.
      if (!this.connecting) throw new Error('closed while its sentinels were looked up');
      // One that cannot be found must not keep the others from being asked.
      const [first] = asked;
      if (nodes.length === 0 && first?.status === 'rejected') throw first.reason;
      this.sentinelIterator = new SentinelIterator(nodes);
      return super.connect(emit);
    }
  };
}

/** Whom to dial, and how the name is looked up; an address is asked about here. Errors: outbound.refused_address. */
function wayTo(server: Server, guard: Guard): Server & { readonly lookup: LookupFunction } {
  if (isIP(server.host) !== 0 && !guard.mayConnect(server.host, server))
    throw refusedAddress(server, server.host);
  return { ...server, lookup: checkedLookup({ guard })(server) };
}

function lookingUp(nodes: readonly Server[], guard: Guard): { readonly lookup: LookupFunction } {
  return {
    lookup(host, wish, told) {
      const port = nodes.find((node) => node.host === host)?.port ?? ports.sentinel;
      checkedLookup({ guard })({ host, port })(host, wish, told);
    },
  };
}

/** Errors: outbound.refused_address when there is none that may be dialled. */
async function addressesOf(node: Server, guard: Guard): Promise<readonly Server[]> {
  const found = await lookup(node.host, { all: true });
  const allowed = found.filter(({ address }) => guard.mayConnect(address, node));
  if (allowed.length === 0) throw refusedAddress(node, found.map(({ address }) => address).join(', '));
  return allowed.map(({ address }) => ({ host: address, port: node.port }));
}

function serverOf(address: string): Server {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
