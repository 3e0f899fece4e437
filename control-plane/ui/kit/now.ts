import { dayMs } from './numbers.ts';

/** Milliseconds since the epoch by the clock of the reader's machine. */
export const now = (): number => Date.now();

/** The last 24 hours, as questions about a span take them. */
export function lastDay(): { readonly from: number; readonly to: number } {
  const to = now();
  return { from: to - dayMs, to };
}
