import { join } from 'node:path';
import type { TestContext } from 'node:test';

import type { EngineFigures, EngineWish } from './engine-main.ts';
import { eventually } from '../eventually.ts';
import { startNode } from '../processes/processes.ts';

export type { EngineFigures } from './engine-main.ts';

/** An engine in a process of its own. */
export interface EngineProcess {
  readonly port: number;
  /** Collects garbage there, then looks. */
  figures(): Promise<EngineFigures>;
  isRunning(): boolean;
}

/** Starts one; what is not wished for is the default of engine-main.ts. */
export async function startEngineProcess(
  t: Pick<TestContext, 'after'>,
  wish: Partial<EngineWish> = {},
): Promise<EngineProcess> {
  const whole = { upstreamPort: 1, hostilePort: 1, limits: {}, upstream: {}, ...wish };
  const child = startNode(t, [join(import.meta.dirname, 'engine-main.ts'), JSON.stringify(whole)]);
  const said = await eventually(
    () => {
      if (!child.isRunning()) throw new Error(child.output());
      return /port (\d+) figures (\d+)/.exec(child.stdout());
    },
    { timeoutMs: 20_000 },
  );
  return {
    port: Number(said[1]),
    figures: async () => (await (await fetch(`http://127.0.0.1:${said[2]}/`)).json()) as EngineFigures,
    isRunning: child.isRunning,
  };
}
