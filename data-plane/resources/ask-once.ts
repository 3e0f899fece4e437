import { Hearing } from './hearing.ts';
import type { Clock } from '../../proto/process/clock.ts';

/** Most questions that wait for one server: past it nobody can know, and a server that hangs takes no more of us. */
const pendingMax = 1_000;

/** Asks about each token once for all who ask at the same time; past {@link pendingMax}, of a server that is silent ({@link Hearing}), and where asking fails the answer is `unknown`. */
export function askOnce<Answer>(
  ask: (token: string) => Promise<Answer>,
  { unknown, clock }: { readonly unknown: Answer; readonly clock: Clock },
): (token: string) => Promise<Answer> {
  const pending = new Map<string, Promise<Answer>>();
  const hearing = new Hearing(clock);
  return (token) => {
    const asked = pending.get(token);
    if (asked !== undefined) return asked;
    if (pending.size >= pendingMax) return Promise.resolve(unknown);
    const asking = hearing
      .ask(() => ask(token))
      .catch(() => unknown)
      .finally(() => pending.delete(token));
    pending.set(token, asking);
    return asking;
  };
}
