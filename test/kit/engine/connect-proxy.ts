import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** A CONNECT proxy as stands between a customer's network and the rest of the world. */
export interface ConnectProxy {
  /** With user and password when it asks for them. */
  readonly url: string;
  /** Tunnels opened so far; refused ones are not counted. */
  connections(): number;
  /** Blocked, it cuts every tunnel and refuses new ones with 503: the cut border. */
  setBlocked(isBlocked: boolean): void;
  close(): Promise<void>;
}

/** Starts one on a free port; with a password it refuses everyone else with 407. Plain requests without CONNECT get 405. */
export async function startConnectProxy(
  options: { readonly username?: string; readonly password?: string } = {},
): Promise<ConnectProxy> {
  const { username, password = '' } = options;
  const expected =
    username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const open = new Set<Socket>();
  let connections = 0;
  let isBlocked = false;

  const server = createServer((_request, answer) => answer.writeHead(405).end());
  server.on('connect', (request, client: Socket, head: Buffer) => {
    client.on('error', () => client.destroy());
    open.add(client.on('close', () => open.delete(client)));
    if (isBlocked) return void client.end('HTTP/1.1 503 Blocked\r\n\r\n');
    if (expected !== undefined && request.headers['proxy-authorization'] !== expected) {
      return void client.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n',
      );
    }
    const { hostname, port } = new URL(`http://${request.url ?? ''}`);
    const onward = connect(Number(port || 80), hostname.replace(/^\[(.*)\]$/, '$1'));
    open.add(onward.on('close', () => (open.delete(onward), client.destroy())));
    onward.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    onward.on('connect', () => {
      connections += 1;
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) onward.write(head);
      client.on('close', () => onward.destroy());
      client.pipe(onward).pipe(client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const credentials =
    username === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  const cutAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://${credentials}127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    setBlocked(next) {
      isBlocked = next;
      if (next) cutAll();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        cutAll();
      }),
  };
}
