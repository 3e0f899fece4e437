import { connect, type Socket } from 'node:net';
import type { DebugJob } from '../../proto/model/records/debug-run.ts';

/** A connection on which nothing was said yet. Errors: rejects when there is none. */
export function connectTo(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** What was heard of an answer. */
export interface Heard {
  /** What ended it: the gateway, too many bytes, or too long an answer. */
  readonly how: 'gateway' | 'long' | 'late';
  /** Of its head; undefined where none came. */
  readonly statusCode: number | undefined;
}

/** Bounds of a call. */
interface CallBounds {
  readonly bytesMax: number;
  readonly msMax: number;
  readonly after: (ms: number, run: () => void) => () => void;
}

/** Sends the request of a job as it is, and hears its answer to the end without keeping it: what was said the gateway takes down. */
export function callOnce(socket: Socket, job: DebugJob, bounds: CallBounds): Promise<Heard> {
  const heard = hear(socket, bounds);
  socket.write(headOf(job), 'latin1');
  const { body } = job.request;
  if (body !== undefined) socket.write(body, 'utf8');
  return heard;
}

function hear(socket: Socket, { bytesMax, msMax, after }: CallBounds): Promise<Heard> {
  return new Promise((resolve) => {
    let bytes = 0;
    let start = '';
    const end = (how: Heard['how']): void => {
      cancel();
      const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(start) ?? [];
      resolve({ how, statusCode: status === undefined ? undefined : Number(status) });
      socket.destroy();
    };
    const cancel = after(msMax, () => end('late'));
    socket.on('data', (piece) => {
      if (start.length < statusLineChars) start += piece.toString('latin1', 0, statusLineChars);
      bytes += piece.length;
      if (bytes > bytesMax) end('long');
    });
    socket.on('error', () => end('gateway'));
    socket.once('close', () => end('gateway'));
  });
}

const statusLineChars = 16;

/** Names and values were judged where they came in: nothing of them ends a line. */
function headOf({ request: { method, path, headers, body }, contextPath, host }: DebugJob): string {
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const target = `${contextPath}${path}`;
  return [
    `${method} ${target.startsWith('/') ? target : `/${target}`} HTTP/1.1`,
    ...(names.includes('host') ? [] : [`Host: ${host}`]),
    ...Object.entries(headers).flatMap(([name, values]) => values.map((value) => `${name}: ${value}`)),
    'Connection: close',
    ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    '',
    '',
  ].join('\r\n');
}
