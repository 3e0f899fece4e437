import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** How the proxy treats the next requests. */
export type Weather =
  /** Passes everything on. */
  | 'clear'
  /** Answers 503 without passing anything on. */
  | 'unavailable'
  /** Passes the request on, throws the answer away and breaks the connection: the caller cannot know that it was stored. */
  | 'answerLost'
  /** Accepts and never answers. */
  | 'silent'
  /** Keeps the first half of what is put, answers 500, and refuses from then on to replace it unless asked to (If-None-Match). */
  | 'halfKept'
  /** Begins to give what is read, and breaks off; all else passes. */
  | 'brokenReads';

/** A reverse proxy in front of a real server that makes its faults. */
export interface FaultyProxy {
  readonly url: string;
  setWeather(weather: Weather): void;
  /** Requests seen, whatever happened to them. */
  requests(): number;
}

/** Starts it in this process; it stops when the test ends. */
export async function startFaultyProxy(t: Pick<TestContext, 'after'>, target: string): Promise<FaultyProxy> {
  let weather: Weather = 'clear';
  let requests = 0;
  /** Paths of which a half was kept, since the server behind knows no If-None-Match. */
  const halves = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    requests += 1;
    const path = incoming.url?.split('?')[0] ?? '';
    if (incoming.headers['if-none-match'] !== undefined && halves.has(path)) {
      incoming.resume();
      outgoing.writeHead(412, { 'content-type': 'application/xml' });
      return void outgoing.end('<Error><Code>PreconditionFailed</Code></Error>');
    }
    switch (weather) {
      case 'clear':
        return passOn(target, { incoming, outgoing }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
          answer.pipe(outgoing);
        });
      case 'unavailable':
        incoming.resume();
        outgoing.writeHead(503, { 'content-type': 'application/xml' });
        return void outgoing.end('<Error><Code>SlowDown</Code></Error>');
      case 'answerLost':
        return passOn(target, { incoming, outgoing }, (answer) => {
          answer.resume().on('end', () => incoming.socket.destroy());
        });
      case 'silent':
        return void incoming.resume();
      case 'brokenReads':
        return passOn(target, { incoming, outgoing }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
          if (incoming.method !== 'GET' || answer.statusCode !== 200) return void answer.pipe(outgoing);
          outgoing.flushHeaders();
          answer.resume().on('end', () => outgoing.destroy());
        });
      case 'halfKept': {
        const length = Number(incoming.headers['content-length'] ?? 0);
        if (incoming.method === 'PUT') halves.add(path);
        return passOn(target, { incoming, outgoing, bytes: length >> 1 }, (answer) => {
          answer.resume();
          outgoing.writeHead(500).end();
        });
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setWeather: (next) => void (weather = next),
    requests: () => requests,
  };
}

interface Passage {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Of the body; absent for all of it. */
  readonly bytes?: number;
}

function passOn(
  target: string,
  { incoming, outgoing, bytes }: Passage,
  onAnswer: (answer: IncomingMessage) => void,
): void {
  const onward = request(new URL(incoming.url ?? '/', target), {
    method: incoming.method ?? 'GET',
    headers: { ...incoming.headers, ...(bytes === undefined ? {} : { 'content-length': bytes }) },
  });
  onward.on('response', onAnswer);
  onward.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
  if (bytes === undefined) return void incoming.pipe(onward);
  let left = bytes;
  incoming.on('data', (chunk: Buffer) => {
    if (left > 0) onward.write(chunk.subarray(0, left));
    left -= chunk.length;
  });
  incoming.on('end', () => onward.end());
}
