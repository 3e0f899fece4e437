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

/**
 * Bounds all memory of WebAssembly that this thread makes, and lets nothing in it fetch: called before the library is loaded, which keeps what it found.
 */
export function boundThread(): void {
  const memories = WebAssembly.Memory.prototype;
  const grow: unknown = Reflect.get(memories, 'grow');
  invariant(typeof grow === 'function', 'memories of WebAssembly grow');
  memories.grow = function bounded(this: WasmMemory, pages: number): number {
    if (this.buffer.byteLength + pages * pageBytes > memoryBytesMax)
      throw new RangeError('the memory is full');
    return Number(Reflect.apply(grow, this, [pages]));
  };
  globalThis.fetch = () => Promise.reject(new Error('nothing is fetched'));
}
