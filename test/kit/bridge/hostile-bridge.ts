import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import { decodeFrame, encodeFrame, type Frame } from '../../../proto/wire/frames.ts';

/** What becomes of one frame of the real bridge: itself, others, or none. */
export type Tamper = (frame: Frame) => readonly Frame[];

/** A bridge in the hands of somebody else: the real one behind it, and every frame may be altered on its way. */
export interface HostileBridge {
  readonly url: string;
  /** From the next frame on; undefined is honest again. */
  tamper(tamper: Tamper | undefined): void;
  /** Sends frames of its own on every open stream. */
  inject(...frames: readonly Frame[]): void;
  /** Every frame that the real bridge sent, as it was, and those of gateways. */
  readonly sent: readonly Frame[];
  readonly received: readonly Frame[];
  /** The Authorization headers that gateways presented. */
  readonly assertions: readonly string[];
  /** The open streams, for whoever does not keep to frames. */
  streams(): readonly WebSocket[];
  /** Cuts every open stream without a word. */
  cut(): void;
  /** Refuses everything from now on, as a dead process does; its port stays. */
  setDown(isDown: boolean): void;
  /** Requests that found it down. */
  missed(): number;
  /** Refuses upgrades only, as proxies do that know no WebSocket. */
  setStreamless(isStreamless: boolean): void;
  /** Polls that the real bridge has and has not answered yet. */
  held(): number;
  /** Answers polls and snapshots in place of the real bridge, from now on. */
  answerReads(answer: (outgoing: ServerResponse) => void): void;
  /** How many reads were answered so. */
  reads(): number;
  /** Breaks answers off after so many bytes, each time; undefined lets them pass. */
  breakAnswersAfter(bytes: number | undefined): void;
  close(): Promise<void>;
}

/**
 * Starts one in front of a real bridge. It holds no key, as a stolen bridge would not: it can repeat, withhold, alter
 * and invent frames, and nothing else. While it tampers, snapshots and polls are refused so that all goes over the stream.
 */
export async function startHostileBridge(realUrl: string): Promise<HostileBridge> {
  const { port: realPort } = new URL(realUrl);
  const sent: Frame[] = [];
  const received: Frame[] = [];
  const assertions: string[] = [];
  const streams = new Set<{ readonly gateway: WebSocket; readonly real: WebSocket }>();
  let tamper: Tamper | undefined;
  let isDown = false;
  let isStreamless = false;
  let answerBytesMax: number | undefined;
  let missed = 0;
  let held = 0;
  let answerRead: ((outgoing: ServerResponse) => void) | undefined;
  let reads = 0;

  const forward = (incoming: IncomingMessage, answer: ServerResponse): void => {
    const isRead = incoming.method === 'GET' && /^\/bridge\/v1\/(changes|snapshot)/.test(incoming.url ?? '');
    if (isDown) return void ((missed += 1), incoming.socket.destroy());
    if (isRead && answerRead !== undefined) {
      reads += 1;
      return answerRead(answer);
    }
    if (isRead && tamper !== undefined) return void answer.writeHead(503).end('{}');
    const { method, url, headers } = incoming;
    if (/[?&]wait=[1-9]/.test(url ?? '')) {
      held += 1;
      answer.once('close', () => (held -= 1));
    }
    const upstream = request({ port: realPort, host: '127.0.0.1', method, path: url, headers }, (real) => {
      answer.writeHead(real.statusCode ?? 502, real.headers);
      let bytes = 0;
      real.on('data', (chunk: Buffer) => {
        const room = (answerBytesMax ?? Number.POSITIVE_INFINITY) - bytes;
        bytes += chunk.length;
        answer.write(chunk.subarray(0, room), () => bytes > (answerBytesMax ?? bytes) && answer.destroy());
      });
      real.on('end', () => bytes <= (answerBytesMax ?? bytes) && answer.end());
    });
    upstream.on('error', () => answer.destroy());
    incoming.pipe(upstream);
  };
  const join = (gateway: WebSocket, incoming: IncomingMessage): void => {
    const { authorization = '', host = '' } = incoming.headers;
    const real = new WebSocket(`ws://127.0.0.1:${realPort}${incoming.url ?? ''}`, {
      headers: { authorization, host },
    });
    const stream = { gateway, real };
    const waiting: RawData[] = [];
    streams.add(stream);
    gateway.on('message', (message) => {
      note(received, message);
      if (real.readyState === WebSocket.OPEN) real.send(message);
      else waiting.push(message);
    });
    real.on('open', () => waiting.forEach((message) => real.send(message)));
    real.on('message', (message) => {
      const frame = note(sent, message);
      if (frame === undefined) return;
      if (tamper === undefined) gateway.send(message);
      else for (const each of tamper(frame)) gateway.send(encodeFrame(each));
    });
    real.on('close', (code, reason) => gateway.close(code >= 3_000 ? code : 1000, reason));
    real.on('error', () => gateway.terminate());
    gateway.on('error', () => undefined);
    gateway.on('close', () => (streams.delete(stream), real.close()));
  };

  const server = createServer(forward);
  const webSockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (incoming, socket, head) => {
    assertions.push(incoming.headers.authorization ?? '');
    if (isDown) return void ((missed += 1), socket.destroy());
    if (isStreamless)
      return void socket.end(
        'HTTP/1.1 501 Not Implemented\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
      );
    webSockets.handleUpgrade(incoming, socket, head, (gateway) => join(gateway, incoming));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const { gateway, real } of streams) {
      gateway.terminate();
      real.terminate();
    }
  };

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    received,
    assertions,
    tamper: (next) => void (tamper = next),
    inject(...frames) {
      for (const { gateway } of streams) for (const frame of frames) gateway.send(encodeFrame(frame));
    },
    streams: () => Array.from(streams, ({ gateway }) => gateway),
    cut,
    setDown(down) {
      isDown = down;
      if (!down) return;
      cut();
      server.closeAllConnections();
    },
    missed: () => missed,
    held: () => held,
    setStreamless(streamless) {
      isStreamless = streamless;
      if (streamless) cut();
    },
    answerReads: (next) => void (answerRead = next),
    reads: () => reads,
    breakAnswersAfter: (bytes) => void (answerBytesMax = bytes),
    async close() {
      cut();
      const closed = new Promise((resolve) => server.close(resolve));
      // Only now: a gateway that dials again and again would open another one in between.
      server.closeAllConnections();
      await closed;
    },
  };
}

function note(frames: Frame[], message: RawData): Frame | undefined {
  const frame = decodeFrame(message as Buffer);
  if (frame !== undefined) frames.push(frame);
  return frame;
}
