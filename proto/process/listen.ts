import { createServer, type AddressInfo, type Server } from 'node:net';

import { Fault, type FaultOptions } from '../faults/fault.ts';

/** Where a process listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The same, with what names it to the operator. */
export interface ListenWish extends ListenAddress {
  /** The section of the settings that holds `host` and `port`, e.g. `listen` or `gateway.admin`; absent for what is not set. */
  readonly setting?: string | undefined;
  /** Waiting connections that the kernel keeps. Default: 511, Node's own. */
  readonly backlog?: number | undefined;
}

/** Listens and gives back the port. Errors: process.port_taken, process.port_refused, with the setting. */
export async function listenOn(server: Server, wish: ListenWish): Promise<number> {
  const { host, port, backlog } = wish;
  const listening = Promise.withResolvers<void>();
  // Stays for good: a connection that cannot be accepted later (no descriptor left) must not end the process.
  server.on('error', (error) => listening.reject(listenFault(error, wish)));
  server.listen({ host, port, ...(backlog === undefined ? {} : { backlog }) }, listening.resolve);
  await listening.promise;
  return (server.address() as AddressInfo).port;
}

/** Tries an address and gives it back at once; with port 0 there is nothing to try. Errors: as {@link listenOn}. */
export async function tryAddress(wish: ListenWish): Promise<void> {
  if (wish.port === 0) return;
  const server = createServer();
  await listenOn(server, wish);
  await new Promise((resolve) => server.close(resolve));
}

/** An origin that a process on this machine reaches a listener at, e.g. `http://[::1]:8083`. */
export function originOf(scheme: 'http' | 'https', { host, port }: ListenAddress): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** What a listener is bound to, for logs, e.g. `https://0.0.0.0:8083`: every address is not the same as loopback. */
export function bindOf(scheme: 'http' | 'https', { host, port }: ListenAddress): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Turns what the system says of an address into a fault that names the setting; anything else stays what it is. */
export function listenFault(error: unknown, wish: Omit<ListenWish, 'backlog'>): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const { host, port, setting } = wish;
  const named = setting === undefined ? '' : ` (${setting}.port)`;
  if (code === 'EADDRINUSE')
    return new Fault('process.port_taken', {
      detail: `Port ${port} on ${host} is in use${named}.`,
      ...(setting !== undefined && { hint: takenHint(setting) }),
      cause: error,
    });
  const refused = refusals.get(code)?.({ ...wish, setting: setting ?? 'listen' });
  return refused === undefined ? error : new Fault('process.port_refused', { ...refused, cause: error });
}

const takenHint = (setting: string): string =>
  `Stop what listens there, or choose another port: ${setting}.port; for isthmus up also --port-offset.`;

type Refusal = (wish: ListenAddress & { readonly setting: string }) => Pick<FaultOptions, 'detail' | 'hint'>;

const unknownHost: Refusal = ({ host, setting }) => ({
  detail: `The name ${host} has no address on this machine's resolver (${setting}.host).`,
  hint: `Set ${setting}.host to an address of this machine, or to 0.0.0.0 for all of them; a name has to stand in /etc/hosts or the DNS.`,
});
const foreignHost: Refusal = ({ host, setting }) => ({
  detail: `${host} is no address of this machine (${setting}.host).`,
  hint: `Set ${setting}.host to one that the machine has (ip address shows them), or to 0.0.0.0 for all of them.`,
});
const forbiddenPort: Refusal = ({ port, setting }) => ({
  detail: `Port ${port} needs a permission that this user does not have (${setting}.port).`,
  hint: `Set ${setting}.port to 1024 or more, or give the process CAP_NET_BIND_SERVICE.`,
});
const refusals: ReadonlyMap<string, Refusal> = new Map([
  ['ENOTFOUND', unknownHost],
  ['EAI_AGAIN', unknownHost],
  ['EADDRNOTAVAIL', foreignHost],
  ['EAFNOSUPPORT', foreignHost],
  ['EACCES', forbiddenPort],
]);
