import type { Server, Socket } from 'node:net';

/** Where a connection comes from; of TLS the same as of the TCP connection under it. */
export interface Origin {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** Connections whose callers have proven nothing yet. */
export interface Strangers {
  /** Counts the connections of this listener from now on. */
  watch(server: Server): void;
  /** Somebody proved on this connection whose he is: it counts for no source any more. */
  proven(connection: Origin): void;
}

/**
 * Bounds them per source address, so that nobody fills the listener without a credential.
 *
 * Who has proven himself is bounded by streamsMax, pollsMax and his seat instead: gateways behind one balancer share an address, and only
 * those that are just coming in count for it.
 */
export function createStrangers({
  perSourceMax,
  onRefused,
}: {
  readonly perSourceMax: number;
  readonly onRefused: () => void;
}): Strangers {
  const bySource = new Map<string, Set<number>>();
  const forget = ({ remoteAddress = '', remotePort = 0 }: Origin): void => {
    const ports = bySource.get(remoteAddress);
    ports?.delete(remotePort);
    if (ports?.size === 0) bySource.delete(remoteAddress);
  };
  const take = (socket: Socket): void => {
    const { remoteAddress, remotePort } = socket;
    // Gone between the kernel's queue and here.
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
    const ports = bySource.get(remoteAddress) ?? new Set<number>();
    if (ports.size >= perSourceMax) {
      onRefused();
      return void socket.destroy();
    }
    bySource.set(remoteAddress, ports.add(remotePort));
    socket.once('close', () => forget({ remoteAddress, remotePort }));
  };
  return { proven: forget, watch: (server) => void server.on('connection', take) };
}
