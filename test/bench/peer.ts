import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { eventually } from '../kit/eventually.ts';
import type { Pinned } from './stage.ts';

/** A proxy under measurement, or the upstream behind all of them. */
export interface Peer {
  readonly name: string;
  /** e.g. `https://127.0.0.1:40123`. */
  readonly url: string;
  /** What every request to it carries, e.g. its API key. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly child: Pinned;
}

/** Paths of the upstream, which every peer forwards: 300 bytes, 10 KiB, 1 MiB. */
export const paths = ['/small', '/ten', '/big'] as const;

/** Body bytes of each path. */
export const pathBytes = { '/small': 300, '/ten': 10_240, '/big': 1_048_576 } as const;

const readyMsMax = 60_000;

/**
 * Waits until the peer gives every path's body whole: what answers something else is not worth measuring.
 *
 * Errors: when it has ended, or is not there after a minute.
 */
export async function ready(peer: Peer): Promise<Peer> {
  const waiting = eventually(
    async () => {
      for (const path of paths) {
        const length = await bytesOf(peer, path);
        if (length !== pathBytes[path])
          throw new Error(`${peer.name} gave ${length} bytes for ${path} instead of ${pathBytes[path]}`);
      }
      return true;
    },
    { timeoutMs: readyMsMax, everyMs: 50 },
  );
  const isReady = await Promise.race([waiting, peer.child.ended.then(() => false)]);
  if (!isReady) throw new Error(`${peer.name} ended before it answered`);
  return peer;
}

/** Body bytes of the answer, which must be a 200. The certificate is self-made, so it is not verified. */
async function bytesOf(peer: Peer, path: string): Promise<number> {
  const send = peer.url.startsWith('https:') ? requestTls : requestPlain;
  return new Promise((resolve, reject) => {
    const options = {
      headers: Object.fromEntries(peer.headers),
      rejectUnauthorized: false,
      agent: false,
      timeout: 5_000,
    };
    const sent = send(`${peer.url}${path}`, options, (answer) => {
      let bytes = 0;
      answer.on('data', (part: Buffer) => (bytes += part.length));
      answer.once('error', reject);
      answer.once('end', () =>
        answer.statusCode === 200
          ? resolve(bytes)
          : reject(new Error(`${peer.name} answered ${path} with ${answer.statusCode}`)),
      );
    });
    sent.once('timeout', () => sent.destroy(new Error(`${peer.name} is silent`)));
    sent.once('error', reject);
    sent.end();
  });
}
