import type { Doctor } from '../commands/doctor.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { loadFor } from '../command.ts';
import { examine } from './doctor.ts';
import { aloud } from './aloud.ts';
import { offsetBy } from './offset.ts';

/** Who examines the processes of the customer's side. */
export const customerDoctors: ReadonlyMap<'gateway' | 'shipper', Doctor> = new Map([
  [
    'gateway',
    async (flags) => {
      const { customerChecks } = await import('./customer.ts');
      const { gatewayConfigSchema: schema } = await import('../../data-plane/config.ts');
      const load = () =>
        offsetBy(loadFor(schema, { process: 'gateway', flags, more: { local: flags.local } }), flags);
      return examine({ process: 'gateway', load, clock: systemClock }, customerChecks, aloud);
    },
  ],
  [
    'shipper',
    async (flags) => {
      const { customerChecks } = await import('./customer.ts');
      const { shipperConfigSchema: schema } = await import('../../shipper/config.ts');
      const load = () => offsetBy(loadFor(schema, { process: 'shipper', flags }), flags);
      return examine({ process: 'shipper', load, clock: systemClock }, customerChecks, aloud);
    },
  ],
]);
