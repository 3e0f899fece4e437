/**
 * To be imported, and run, before anything else is: loading code leaves little behind, but V8 takes the rush for a need and gives new
 * objects 64 MiB of room, which an idle gateway would keep for ever, and which an attacker fills with garbage. A gateway lets it grow
 * while there is load (data-plane/young-generation.ts); a bridge does not.
 *
 * V8 reads `--max-semi-space-size` only when it makes a heap, and there is one already; the factor by which it grows is read each time.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--semi-space-growth-factor=1');
// What is compiled a first time goes with the code that it was compiled of; to be said before there is another thread.
setFlagsFromString('--flush-baseline-code');

// WebAssembly that calls JavaScript in the midst of C (XSLT in the gateway); some versions of V8 have it behind a flag, which is the whole
// process's, so that no thread can be given it, nor may set it beside others.
const wasm: unknown = Reflect.get(globalThis, 'WebAssembly');
if (typeof wasm === 'object' && wasm !== null && !('Suspending' in wasm))
  setFlagsFromString('--experimental-wasm-jspi');
