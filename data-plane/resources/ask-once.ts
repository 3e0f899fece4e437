/** Most questions that wait for one server: past it nobody can know, and a server that hangs takes no more of us. */
const pendingMax = 1_000;

/** Asks about each token once for all who ask at the same time; past {@link pendingMax} the answer is `full`. */
export function askOnce<Answer>(
  ask: (token: string) => Promise<Answer>,
  full: Answer,
): (token: string) => Promise<Answer> {
  const pending = new Map<string, Promise<Answer>>();
  return (token) => {
    const asked = pending.get(token);
    if (asked !== undefined) return asked;
    if (pending.size >= pendingMax) return Promise.resolve(full);
    const asking = ask(token).finally(() => pending.delete(token));
    pending.set(token, asking);
    return asking;
  };
}
