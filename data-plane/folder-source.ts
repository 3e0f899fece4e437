import { localTenant, startLocal } from './local/local.ts';
import type { Source } from './source.ts';
import type { GatewayOptions } from './start.ts';

/** Definitions in a folder. */
export function openFolder(folder: string, { config, log, clock, lifecycle }: GatewayOptions): Source {
  return {
    kind: 'local',
    gateway: 'local',
    async follow({ deployments: { apply, confirm, onTakenLate } }) {
      const { tags, tenant } = config;
      const standing = { tags, tenant };
      const local = await startLocal({
        folder,
        standing,
        apply,
        confirm,
        onTakenLate,
        log,
        clock,
        lifecycle,
      });
      return {
        sync: undefined,
        state: () => ({
          kind: 'local',
          isComplete: true,
          environments: [
            { environment: localTenant.environment, seq: local.seq(), ageMs: undefined, isComplete: true },
          ],
          problems: local.problems(),
        }),
      };
    },
  };
}
