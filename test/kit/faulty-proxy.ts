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
  | 'silent';

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
  const server = createServer((incoming, outgoing) => {
    requests += 1;
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

function passOn(
  target: string,
  { incoming, outgoing }: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
  onAnswer: (answer: IncomingMessage) => void,
): void {
  const onward = request(new URL(incoming.url ?? '/', target), {
    method: incoming.method ?? 'GET',
    headers: incoming.headers,
  });
  onward.on('response', onAnswer);
  onward.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
  incoming.pipe(onward);
}
