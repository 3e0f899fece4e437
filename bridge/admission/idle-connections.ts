import type { Socket } from 'node:net';

/** Connections that wait for their gateway's next call. */
export interface IdleConnections {
  /** A call came over it. */
  busy(socket: Socket): void;
  /** The call was answered; the gateway is the one that proved itself on it last. */
  idle(socket: Socket, gateway: string): void;
}

/** What a gateway may keep open without using it: a call needs one connection, and these are more than anybody's calls at once. */
const idlePerGatewayMax = 32;

/** Closes the longest idle connection of a gateway that has too many: a credential must not be enough to fill the listener. */
export function createIdleConnections(): IdleConnections {
  const byGateway = new Map<string, Set<Socket>>();
  const gatewayOf = new WeakMap<Socket, string>();
  const watched = new WeakSet<Socket>();
  const busy = (socket: Socket): void => {
    const gateway = gatewayOf.get(socket);
    if (gateway === undefined) return;
    gatewayOf.delete(socket);
    const idle = byGateway.get(gateway);
    idle?.delete(socket);
    if (idle?.size === 0) byGateway.delete(gateway);
  };
  return {
    busy,
    idle(socket, gateway) {
      if (socket.destroyed) return;
      if (!watched.has(socket)) socket.once('close', () => busy(socket));
      watched.add(socket);
      busy(socket);
      const idle = byGateway.get(gateway) ?? new Set<Socket>();
      byGateway.set(gateway, idle.add(socket));
      gatewayOf.set(socket, gateway);
      const [oldest] = idle;
      if (idle.size > idlePerGatewayMax) oldest?.destroy();
    },
  };
}
