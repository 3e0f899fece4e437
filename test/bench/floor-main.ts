import { connect, createServer, type Socket } from 'node:net';

/**
 * The floor: what moving bytes between two kept connections costs on this runtime, whatever a gateway does with them.
 *
 * One upstream connection per client connection; bytes go one to one, no head is read. It reads into one buffer per upstream
 * connection (`onread`), and what was written in one turn of the event loop leaves at its end in a row, as the engine's writes
 * do. **Frozen**: gates are multiples of it, so a change of this file needs the figures before and after in its commit.
 *
 * Started by node-proxies.ts with the upstream's URL and a port.
 */
const [target = '', port = '0'] = process.argv.slice(2);
const upstream = new URL(target);
const readBytes = 64 * 1024;

/** Text that leaves at the end of this turn. */
class Side {
  readonly socket: Socket;
  #text = '';

  constructor(socket: Socket) {
    this.socket = socket;
  }

  write(text: string): void {
    if (this.#text === '' && written.push(this) === 1) setImmediate(sendWritten);
    this.#text += text;
  }

  send(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '' && !this.socket.destroyed) this.socket.write(text, 'latin1');
  }
}

let written: Side[] = [];
function sendWritten(): void {
  const sides = written;
  written = [];
  for (const side of sides) side.send();
}

const server = createServer({ noDelay: true }, (client) => {
  const toClient = new Side(client);
  const backend = connect({
    host: upstream.hostname,
    port: Number(upstream.port),
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (bytesRead, bytes) => {
        toClient.write((bytes as Buffer).toString('latin1', 0, bytesRead));
        return true;
      },
    },
  });
  const toBackend = new Side(backend);
  client.on('data', (bytes) => toBackend.write(bytes.toString('latin1')));
  for (const [one, other] of [
    [toClient, toBackend],
    [toBackend, toClient],
  ] as const) {
    one.socket.on('error', () => one.socket.destroy());
    one.socket.on('close', () => {
      other.send();
      other.socket.end();
    });
  }
});
server.listen(Number(port), '127.0.0.1');
