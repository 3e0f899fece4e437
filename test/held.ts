import { basename } from 'node:path';

/** The exit code of a process of tests that something kept alive. */
export const heldExitCode = 70;

interface Handle {
  readonly constructor: { readonly name: string };
  readonly spawnfile?: string;
  readonly pid?: number;
  readonly localPort?: number;
  readonly remotePort?: number;
  address?: () => unknown;
}

/** What keeps this process alive, in words: sockets by their ports, children by their programs, the rest by its kind. */
export function describeHeld(): string {
  // Node tells kinds by a public function, and only by this one which they are.
  const handles = (process as unknown as { _getActiveHandles(): readonly Handle[] })._getActiveHandles();
  const told = handles.map((handle) => {
    const kind = handle.constructor.name;
    if (handle.spawnfile !== undefined) return `${kind} ${handle.spawnfile} (pid ${handle.pid})`;
    if (handle.remotePort !== undefined) return `${kind} ${handle.localPort} to ${handle.remotePort}`;
    return typeof handle.address === 'function' ? `${kind} ${JSON.stringify(handle.address())}` : kind;
  });
  return [...told, ...process.getActiveResourcesInfo()].join(', ');
}

/**
 * Ends this process when it still lives after so many ms, and says what held it: a run would wait for it for ever, since no limit of the
 * runner holds behind the last test.
 */
export function endWithin(ms: number, file: string): void {
  setTimeout(() => {
    process.stderr.write(`${basename(file)} did not end within ${ms / 1000} s: ${describeHeld()}\n`);
    process.exit(heldExitCode);
  }, ms).unref();
}
