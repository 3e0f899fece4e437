import { invariant } from '../../../proto/faults/fault.ts';

/** Most bytes of the memory of WebAssembly in a thread. */
const memoryBytesMax = 128 * 1024 * 1024;
const pageBytes = 65_536;

/** As much of it as is used: its types are those of browsers, which nothing else here wants. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(this: WasmMemory, pages: number): number;
}
declare const WebAssembly: { readonly Memory: { readonly prototype: WasmMemory } };

/** Kinds of errors that no library throws to say something: its stack was full, or what it works on is no longer whole. */
const engineErrors = new Set(['RangeError', 'TypeError', 'ReferenceError', 'RuntimeError']);

/** Whether a library is to be used no more after an error: what was thrown through it left it in the midst of its work. */
function isBroken(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  return engineErrors.has(error.name) || (error.cause !== undefined && isBroken(error.cause));
}

/**
 * Bounds all memory of WebAssembly that this thread makes, and lets nothing in it fetch: called before the library is loaded, which keeps what it found.
 *
 * What is returned says whether the thread is spent after a job that did not go well, with what it threw where it did. Libraries leave something behind when they
 * fail, and memory of WebAssembly never shrinks: past half of it the next job might find no room.
 */
export function boundThread(): (thrown?: unknown) => boolean {
  let takenBytes = 0;
  const memories = WebAssembly.Memory.prototype;
  const grow: unknown = Reflect.get(memories, 'grow');
  invariant(typeof grow === 'function', 'memories of WebAssembly grow');
  memories.grow = function bounded(this: WasmMemory, pages: number): number {
    if (this.buffer.byteLength + pages * pageBytes > memoryBytesMax)
      throw new RangeError('the memory is full');
    const before = Number(Reflect.apply(grow, this, [pages]));
    takenBytes = Math.max(takenBytes, this.buffer.byteLength);
    return before;
  };
  globalThis.fetch = () => Promise.reject(new Error('nothing is fetched'));
  return (thrown) => takenBytes > memoryBytesMax / 2 || (thrown !== undefined && isBroken(thrown));
}
