import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A real backend that says what it was asked. */
export interface TestUpstream {
  readonly url: string;
  readonly port: number;
  /** `method url` of every request so far. */
  readonly requests: readonly string[];
  /** Connections so far. */
  connections(): number;
}

/** Starts a backend that answers 200 with `{method, url, headers, body}`; `?status=503` and `?bytes=n` change the answer. */
export async function startUpstream(t: Pick<TestContext, 'after'>): Promise<TestUpstream> {
  const requests: string[] = [];
  let connections = 0;
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    const query = new URLSearchParams((incoming.url ?? '').split('?')[1] ?? '');
    void readAll(incoming).then((body) => {
      const bytes = query.get('bytes');
      const answer =
        bytes === null
          ? JSON.stringify({ method: incoming.method, url: incoming.url, headers: incoming.headers, body })
          : 'x'.repeat(Number(bytes));
      outgoing.writeHead(Number(query.get('status') ?? 200), {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(answer),
      });
      outgoing.end(answer);
    });
  });
  server.on('connection', () => (connections += 1));
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests, connections: () => connections };
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  // A client that goes away mid-body is a normal sight for a backend.
  try {
    for await (const part of incoming) parts.push(part as Buffer);
  } catch {
    return '';
  }
  return Buffer.concat(parts).toString('latin1');
}
