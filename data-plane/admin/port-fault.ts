import { Fault } from '../../proto/faults/fault.ts';

/** Turns "address in use" into the fault that says what to do; anything else stays what it is. */
export function portFault(error: unknown, port: number): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return error;
  return new Fault('process.port_taken', { detail: `Port ${port} is in use.`, cause: error });
}
