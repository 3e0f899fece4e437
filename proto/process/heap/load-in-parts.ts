import { flushCompileCache } from 'node:module';

/**
 * Loads code part by part, each before what stands on it.
 *
 * Node keeps what it reads of its cache of compiled code until that is written back. Let go all at once it leaves holes that malloc gives
 * back to nobody; in parts, each fills those of the one before.
 */
export async function loadInParts(...parts: readonly (() => Promise<unknown>)[]): Promise<void> {
  flushCompileCache();
  for (const part of parts) {
    await part();
    flushCompileCache();
  }
}
