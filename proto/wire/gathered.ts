const roomBytesMin = 1024;
/** What is larger is given away with its room. */
const keptBytesMax = 64 * 1024;
/** Room grows by as much as there is, and by no more than this at once. */
const growthBytesMax = 16 * 1024 * 1024;

/** Bytes that come in chunks of whatever size, in one buffer. */
export interface Gathered {
  readonly length: number;
  add(chunk: Uint8Array): void;
  /** A look at the first bytes; good until the next `add` or `take`. */
  peek(count: number): Buffer;
  /** Takes the first bytes out, default all; they are the taker's. */
  take(count?: number): Buffer<ArrayBuffer>;
}

/**
 * Makes an empty one.
 *
 * A list of chunks would cost hundreds of bytes for each, and keep the whole read of a socket of which it is a part: who sends
 * single bytes would fill memory a hundred times faster than a bound of bytes says.
 */
export function createGathered(): Gathered {
  let room = Buffer.alloc(0);
  let from = 0;
  let to = 0;
  const makeRoom = (count: number): void => {
    const length = to - from;
    const wanted = Math.max(roomBytesMin, length + count, length + Math.min(length, growthBytesMax));
    const next = Buffer.allocUnsafeSlow(wanted);
    next.set(room.subarray(from, to));
    room = next;
    from = 0;
    to = length;
  };
  return {
    get length() {
      return to - from;
    },
    add(chunk) {
      if (to + chunk.length > room.length) makeRoom(chunk.length);
      room.set(chunk, to);
      to += chunk.length;
    },
    peek: (count) => room.subarray(from, Math.min(to, from + count)),
    take(count = to - from) {
      if (count >= to - from && to - from > keptBytesMax) {
        // All of something large: the room itself, since a copy would need as much again.
        const whole = room.subarray(from, to);
        room = Buffer.alloc(0);
        from = to = 0;
        return whole;
      }
      const taken = Buffer.allocUnsafeSlow(Math.min(count, to - from));
      room.copy(taken, 0, from, from + taken.length);
      from += taken.length;
      if (from === to) from = to = 0;
      return taken;
    },
  };
}
