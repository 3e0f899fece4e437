import type { ServerHttp2Stream } from 'node:http2';

import { isGone } from './node-http2.ts';

/** Node counts a write as a whole until its last byte has left: while a longer one is under way, nobody sees that it is taken. */
const writeBytesMax = 64 * 1024;

/** An answer that is here, and what Node was given of it. */
export class WholeAnswer {
  givenBytes = 0;

  /** Gives the rest of it, so much at a time that it shows when some of it is taken. `guard` runs what the event loop begins. */
  give(stream: ServerHttp2Stream, bytes: Uint8Array, guard: (work: () => void) => void): void {
    const start = this.givenBytes;
    const end = Math.min(start + writeBytesMax, bytes.length);
    this.givenBytes = end;
    if (end === bytes.length) return void stream.end(start === 0 ? bytes : bytes.subarray(start));
    stream.write(bytes.subarray(start, end), (error) => {
      if (!(error instanceof Error) && !isGone(stream)) guard(() => this.give(stream, bytes, guard));
    });
  }
}
