/** Bounds of work that is done in turns. */
export interface TurnLimits {
  /** Running at once, of different sources. */
  readonly concurrencyMax: number;
  readonly waitingPerSourceMax: number;
  /** Waiting of all sources together. */
  readonly waitingMax: number;
}

/** Work in turns: sources take them one after the other, and each has one running at a time, so that nobody's many hold up another's one. */
export interface Turns {
  /** Does it when its turn comes; 'busy', at once, when too many wait. */
  take<T>(source: string, work: () => Promise<T>): Promise<T | 'busy'>;
}

type Start = () => void;

/** Makes the turns of this process. */
export function createTurns({ concurrencyMax, waitingPerSourceMax, waitingMax }: TurnLimits): Turns {
  /** In the order of their turns; a source whose work runs is not among them. */
  const ready = new Map<string, Start[]>();
  const running = new Map<string, Start[]>();
  let waiting = 0;

  const next = (): void => {
    const [first] = ready;
    if (first === undefined || running.size >= concurrencyMax) return;
    const [source, starts] = first;
    ready.delete(source);
    running.set(source, starts);
    waiting -= 1;
    starts.shift()?.();
  };
  const done = (source: string): void => {
    const starts = running.get(source) ?? [];
    running.delete(source);
    // Behind everybody who waits.
    if (starts.length > 0) ready.set(source, starts);
    next();
  };

  return {
    async take(source, work) {
      const starts = running.get(source) ?? ready.get(source) ?? [];
      if (starts.length >= waitingPerSourceMax || waiting >= waitingMax) return 'busy';
      const turn = Promise.withResolvers<void>();
      starts.push(turn.resolve);
      waiting += 1;
      if (!running.has(source)) ready.set(source, starts);
      next();
      await turn.promise;
      try {
        return await work();
      } finally {
        done(source);
      }
    },
  };
}
