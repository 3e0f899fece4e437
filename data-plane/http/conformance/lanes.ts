import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { partsOf } from './cuts.ts';

/** How many conversations run at once. */
const lanesMax = 24;
/** A conversation that has not come to its end by then has failed. */
const patienceMs = 5_000;

/**
 * Where lanes listen: a loopback address of this process alone. Whoever else on this machine still speaks to a port that was closed
 * and is ours now would add requests to our counts. Only Linux has all of 127.0.0.0/8.
 */
export const loopback =
  process.platform === 'linux'
    ? `127.${64 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255 || 1}`
    : '127.0.0.1';

/** A place where one conversation runs at a time. */
export interface Lane {
  close(): Promise<void>;
}

/** Lanes that are made when they are needed, and used again. */
export class LanePool<L extends Lane> {
  readonly #make: () => Promise<L>;
  readonly #all: L[] = [];
  readonly #free: L[] = [];
  readonly #waiting: (() => void)[] = [];
  #made = 0;

  constructor(make: () => Promise<L>) {
    this.#make = make;
  }

  /** Runs one conversation in a lane of its own; waits for one when all are busy. */
  async run<T>(talk: (lane: L) => Promise<T>): Promise<T> {
    const lane = await this.#take();
    try {
      return await talk(lane);
    } finally {
      this.#free.push(lane);
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((lane) => lane.close()));
  }

  async #take(): Promise<L> {
    for (;;) {
      const lane = this.#free.pop();
      if (lane !== undefined) return lane;
      if (this.#made < lanesMax) {
        this.#made += 1;
        const made = await this.#make();
        this.#all.push(made);
        return made;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** One turn of the event loop: who was written to has read when two have passed (loopback hands over inside the write). */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Writes the parts so that each is read alone, as far as a process can see to it; stops when the connection has gone. */
export async function writeCut(socket: Socket, bytes: string, places: readonly number[]): Promise<void> {
  for (const part of partsOf(bytes, places)) {
    if (socket.destroyed || socket.writableEnded) return;
    if (part !== '') socket.write(part, 'latin1');
    await turns(2);
  }
}

/** One end of a connection that gathers what it hears. */
export class Listening {
  text = '';
  isClosed = false;
  readonly socket: Socket;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (part: string) => {
      this.text += part;
      this.#wake();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** Waits until something holds, which is asked when bytes come and when the connection closes; false when patience ends before. */
  async until(holds: () => boolean): Promise<boolean> {
    const deadline = Date.now() + patienceMs;
    while (!holds()) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) return false;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, leftMs);
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
    }
    return true;
  }
}

/** Connects to a port of ours. */
export async function connectTo(port: number): Promise<Listening> {
  const socket = connect(port, loopback);
  const listening = new Listening(socket);
  await once(socket, 'connect');
  await turns(2);
  return listening;
}

/** Listens on a free port. */
export async function listen(onSocket: (socket: Socket) => void) {
  const server = createServer(onSocket);
  server.listen(0, loopback);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
