/** Set by deploy/isthmus.js for the program that it starts on a newer Node; nobody else's channel is taken for its. */
const launchedVariable = 'ISTHMUS_LAUNCHED';

/**
 * Ends this process as SIGINT would when the launcher that started it is gone: at once, without the time that SIGTERM leaves to load
 * balancers, since whoever restarts the launcher finds the port taken until then.
 *
 * A launcher that is killed (kill -9, out of memory) cannot pass anything on; without this its program would keep running, and its
 * ports with it, under nobody whom a service manager knows.
 */
export function followLauncher(): void {
  if (process.env[launchedVariable] === undefined) return;
  // Processes that this one starts have another parent.
  delete process.env[launchedVariable];
  followParent();
}

/** Ends this process, at once, when the process at the other end of its channel is gone. */
export function followParent(): void {
  const end = (): void => void process.kill(process.pid, 'SIGINT');
  if (process.connected) process.once('disconnect', end);
  else end();
}
