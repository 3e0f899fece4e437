import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A SOCKS proxy that speaks versions 4, 4a and 5; it leads to this machine, whatever name it is asked for. */
export interface SocksProxy {
  readonly port: number;
  /** What it was asked for, e.g. `5 user:password a.acme.com:443`. */
  readonly asked: readonly string[];
}

/** Starts one; with a user it refuses everyone else. */
export async function startSocksProxy(
  t: Pick<TestContext, 'after'>,
  { username, password = '' }: { readonly username?: string; readonly password?: string } = {},
): Promise<SocksProxy> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client.on('error', () => client.destroy()));
    void serve(client, {
      isLetIn: (user, word) => username === undefined || (user === username && word === password),
      wantsUser: username !== undefined,
      onAsked: (text) => void asked.push(text),
      onOnward: (onward) => void open.add(onward),
    }).catch(() => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

interface Rules {
  readonly isLetIn: (username: string, password: string) => boolean;
  readonly wantsUser: boolean;
  readonly onAsked: (text: string) => void;
  readonly onOnward: (onward: Socket) => void;
}

async function serve(client: Socket, rules: Rules): Promise<void> {
  const take = (bytes: number): Promise<Buffer> => taken(client, bytes);
  const untilZero = async (): Promise<string> => {
    let text = '';
    for (let byte = await take(1); byte[0] !== 0; byte = await take(1)) text += byte.toString('latin1');
    return text;
  };
  const [version = 0] = await take(1);
  if (version === 4) {
    const head = await take(7);
    const user = await untilZero();
    const isNamed = head.readUIntBE(3, 3) === 0;
    const host = isNamed ? await untilZero() : [...head.subarray(3, 7)].join('.');
    const port = head.readUInt16BE(1);
    rules.onAsked(`4 ${user} ${host}:${port}`);
    if (!rules.isLetIn(user, '')) return void client.end(Buffer.from([0, 0x5d, 0, 0, 0, 0, 0, 0]));
    return lead(client, { port, granted: Buffer.from([0, 0x5a, 0, 0, 0, 0, 0, 0]) }, rules);
  }
  const [methods = 0] = await take(1);
  const offered = await take(methods);
  const method = rules.wantsUser ? 2 : 0;
  if (!offered.includes(method)) return void client.end(Buffer.from([5, 0xff]));
  client.write(Buffer.from([5, method]));
  const user = method === 2 ? await signedIn(client, take) : ':';
  const [, , , kind = 0] = await take(4);
  const length = kind === 3 ? ((await take(1))[0] ?? 0) : kind === 4 ? 16 : 4;
  const address = await take(length);
  const host =
    kind === 3 ? address.toString('latin1') : kind === 4 ? address.toString('hex') : [...address].join('.');
  const port = (await take(2)).readUInt16BE();
  rules.onAsked(`5 ${user} ${host}:${port}`);
  await lead(client, { port, granted: Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]) }, rules);

  async function signedIn(socket: Socket, read: typeof take): Promise<string> {
    const [, userLength = 0] = await read(2);
    const name = (await read(userLength)).toString('utf8');
    const [wordLength = 0] = await read(1);
    const word = (await read(wordLength)).toString('utf8');
    const isGood = rules.isLetIn(name, word);
    socket.write(Buffer.from([1, isGood ? 0 : 1]));
    if (!isGood) throw new Error('not let in');
    return `${name}:${word}`;
  }
}

async function lead(
  client: Socket,
  { port, granted }: { readonly port: number; readonly granted: Buffer },
  { onOnward }: Rules,
): Promise<void> {
  const onward = connect(port, '127.0.0.1');
  onOnward(onward.on('error', () => client.destroy()));
  await once(onward, 'connect');
  client.write(granted);
  client.pipe(onward).pipe(client);
}

async function taken(socket: Socket, bytes: number): Promise<Buffer> {
  if (bytes === 0) return Buffer.alloc(0);
  for (;;) {
    const piece: unknown = socket.read(bytes);
    if (Buffer.isBuffer(piece) && piece.length === bytes) return piece;
    if (socket.readableEnded || socket.destroyed) throw new Error('the client has gone');
    await once(socket, 'readable');
  }
}
