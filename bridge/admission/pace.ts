import { ReadableStream } from 'node:stream/web';
import type { Clock } from '../../proto/process/clock.ts';

/** A reader takes this much in `msMax`, or he is let go. */
const pieceBytes = 64 * 1024;

/**
 * The body of an answer, in pieces that its reader has to keep taking: what nobody takes must not lie in memory for ever.
 *
 * onStalled ends the connection; nothing is read from `parts` meanwhile.
 */
export function pacedBody(
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  {
    msMax,
    clock,
    onStalled,
  }: { readonly msMax: number; readonly clock: Clock; readonly onStalled: () => void },
): ConstructorParameters<typeof Response>[0] {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for await (const part of parts)
      for (let at = 0; at < part.length; at += pieceBytes) {
        const cancel = clock.after(msMax, onStalled);
        try {
          yield part.subarray(at, at + pieceBytes);
        } finally {
          cancel();
        }
      }
  };
  return ReadableStream.from(pieces()) as ConstructorParameters<typeof Response>[0];
}
