import type { IncomingMessage } from 'node:http';
import type { Server, Socket } from 'node:net';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import { sourceOfAddress, type Peers } from '../../proto/process/peers.ts';
import type { BridgeLimits } from '../config.ts';
import { createRates, type Rates } from './rates.ts';

/** Callers and connections before somebody has proven whose he is, and what is counted for him from then on. */
export interface Strangers {
  /** Counts the connections of this listener from now on. */
  watch(server: Server): void;
  /** Where a request comes from: an address, the /64 of one, or what a trusted proxy says. */
  sourceOf(request: IncomingMessage): string;
  /**
   * Counts a call: for its source or, on a connection on which a gateway proved itself before, for that gateway.
   *
   * Errors: request.too_many; nothing was looked up by then.
   */
  came(request: IncomingMessage): void;
  /** Somebody proved himself by this call: it and its connection count for him and for no source. Errors: request.too_many. */
  proven(request: IncomingMessage, gateway: string, cost?: number): void;
  /** The gateway that proved itself last on this connection; undefined behind a trusted proxy, which mixes its callers. */
  ownerOf(request: IncomingMessage): string | undefined;
}

/** What the bounds need. */
export interface StrangersOptions {
  readonly limits: Pick<
    BridgeLimits,
    'strangersPerSourceMax' | 'strangerCallsPerSourcePerSecondMax' | 'callsPerGatewayPerSecondMax'
  >;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/**
 * Bounds them per source address, so that nobody fills the listener, or keeps it busy, without a credential.
 *
 * Who has proven himself is bounded by streamsMax, pollsMax, his seat and his own rate instead: gateways behind one balancer share
 * an address, and only those that are just coming in count for it.
 */
export function createStrangers(options: StrangersOptions): Strangers {
  const { limits, peers, clock } = options;
  const calls = createRates(limits.strangerCallsPerSourcePerSecondMax, clock);
  const gateways = createRates(limits.callsPerGatewayPerSecondMax, clock);
  const owners = new WeakMap<Socket, string>();
  /** Gateways that paid for a call when it came; the others were paid for by their source. */
  const charged = new WeakMap<IncomingMessage, string>();
  const connections = countConnections(options);
  const late = options.metrics.counter(
    'isthmus_bridge_calls_refused_total',
    'Calls refused because their source, or their gateway, makes too many.',
    ['whose'],
  );
  const demand = (rates: Rates, key: string, cost = 1): void => {
    if (rates.take(key, cost) === 0) return;
    late.inc({ whose: rates === calls ? 'source' : 'gateway' });
    throw new Fault('request.too_many');
  };
  const isProxy = ({ socket }: IncomingMessage): boolean => peers.isTrusted(socket.remoteAddress ?? '');
  const sourceOf = (request: IncomingMessage): string => {
    const said = request.headers['x-forwarded-for'];
    const forwardedFor = Array.isArray(said) ? said.join(',') : said;
    return sourceOfAddress(peers.clientOf(request.socket.remoteAddress ?? '', forwardedFor));
  };
  return {
    sourceOf,
    watch: connections.watch,
    ownerOf: ({ socket }) => owners.get(socket),
    came(request) {
      const owner = owners.get(request.socket);
      if (owner !== undefined && gateways.take(owner) === 0) return void charged.set(request, owner);
      // Also who has used up his rate: the connection may be a proxy's that nobody named, and the call somebody else's.
      demand(calls, sourceOf(request));
    },
    proven(request, gateway, cost = 1) {
      const payer = charged.get(request);
      if (payer !== gateway) demand(gateways, gateway, cost);
      else if (cost > 1) demand(gateways, gateway, cost - 1);
      if (payer === undefined) calls.giveBack(sourceOf(request));
      else if (payer !== gateway) gateways.giveBack(payer);
      if (isProxy(request)) return;
      owners.set(request.socket, gateway);
      connections.forget(request.socket);
    },
  };
}

type Origin = Pick<Socket, 'remoteAddress' | 'remotePort'>;

/** Connections per source on which nobody has proven himself; those of trusted proxies are the proxies' to bound. */
function countConnections({ limits, peers, metrics }: StrangersOptions): {
  readonly watch: (server: Server) => void;
  /** A connection of TLS has the address and port of the TCP connection under it. */
  readonly forget: (connection: Origin) => void;
} {
  const bySource = new Map<string, Set<string>>();
  const refused = metrics.counter(
    'isthmus_bridge_strangers_refused_total',
    'Connections refused because their source has too many that have proven nothing.',
  );
  const nameOf = ({ remoteAddress, remotePort }: Origin): string => `${remoteAddress} ${remotePort}`;
  const forget = (origin: Origin): void => {
    const source = sourceOfAddress(origin.remoteAddress ?? '');
    const known = bySource.get(source);
    known?.delete(nameOf(origin));
    if (known?.size === 0) bySource.delete(source);
  };
  const take = (socket: Socket): void => {
    const { remoteAddress, remotePort } = socket;
    // Gone between the kernel's queue and here.
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
    if (peers.isTrusted(remoteAddress)) return;
    const source = sourceOfAddress(remoteAddress);
    const known = bySource.get(source) ?? new Set<string>();
    if (known.size >= limits.strangersPerSourceMax) {
      refused.inc();
      return void socket.destroy();
    }
    bySource.set(source, known.add(nameOf(socket)));
    socket.once('close', () => forget({ remoteAddress, remotePort }));
  };
  return { forget, watch: (server) => void server.on('connection', take) };
}
