import type { Doctor } from '../commands/doctor.ts';
import { loadFor } from '../command.ts';
import { examine } from './doctor.ts';
import { aloud } from './aloud.ts';
import { offsetBy } from './offset.ts';

/** Who examines the processes beside the database. */
export const platformDoctors: ReadonlyMap<'control-plane' | 'bridge', Doctor> = new Map([
  [
    'control-plane',
    async (flags) => {
      const { platformChecks } = await import('./platform.ts');
      const { controlPlaneProcessSchema: schema } = await import('../processes.ts');
      const load = () => offsetBy(loadFor(schema, { process: 'control-plane', flags }), flags);
      return examine({ process: 'control-plane', load }, platformChecks, aloud);
    },
  ],
  [
    'bridge',
    async (flags) => {
      const { platformChecks } = await import('./platform.ts');
      const { bridgeProcessSchema: schema } = await import('../processes.ts');
      const load = () => offsetBy(loadFor(schema, { process: 'bridge', flags }), flags);
      return examine({ process: 'bridge', load }, platformChecks, aloud);
    },
  ],
]);
