import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Lifecycle } from '../proto/process/lifecycle.ts';

const bodyBytesMax = 1024 * 1024;

/**
 * The backend of the demo APIs inside `isthmus up`: says as JSON what it was asked, by 200 or what a path that ends in /status/<400-599> says.
 * Loopback only.
 *
 * Returns its port; closed by the life-cycle.
 */
export async function startEchoServer(port: number, lifecycle: Lifecycle): Promise<number> {
  const server = createServer((request, answer) => {
    void readBody(request).then((body) => {
      if (body === undefined) return answer.writeHead(413, { connection: 'close' }).end();
      const { method, url, headers } = request;
      return answer
        .writeHead(Number(/\/status\/([45]\d\d)(?:\?|$)/.exec(url ?? '')?.[1] ?? 200), {
          'content-type': 'application/json',
        })
        .end(`${JSON.stringify({ method, path: url, headers, body }, undefined, 2)}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  lifecycle.onClose('echo server', () => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The body as text; undefined when it is too large or breaks off. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let total = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      total += part.length;
      if (total > bodyBytesMax) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(parts).toString();
}
