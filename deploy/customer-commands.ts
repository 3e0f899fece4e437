import type { LoadCommand } from './command-line.ts';

/** The commands of the customer's side, which need neither database nor bucket. */
export const customerCommands: ReadonlyMap<string, LoadCommand> = new Map<string, LoadCommand>([
  [
    'gateway',
    async (onExit) => {
      await import('../proto/process/heap/small-start.ts');
      return (await import('./commands/gateway.ts')).gatewayCommand(onExit);
    },
  ],
  [
    'shipper',
    async (onExit) => {
      await import('../proto/process/heap/small-start.ts');
      return (await import('./commands/shipper.ts')).shipperCommand(onExit);
    },
  ],
  ['enroll', async () => (await import('./commands/enroll.ts')).enrollCommand()],
  ['check', async (onExit) => (await import('./commands/check.ts')).checkCommand(onExit)],
  ['convert', async (onExit) => (await import('./commands/convert.ts')).convertCommand(onExit)],
  ['explain', async (onExit) => (await import('./commands/explain.ts')).explainCommand(onExit)],
  [
    'doctor',
    async (onExit) => {
      const { customerDoctors } = await import('./doctor/doctors.ts');
      return (await import('./commands/doctor.ts')).doctorCommand(customerDoctors, onExit);
    },
  ],
  [
    'config',
    async () => {
      const { gatewayConfigSchema: gateway } = await import('../data-plane/config.ts');
      const { shipperConfigSchema: shipper } = await import('../shipper/config.ts');
      return (await import('./commands/config.ts')).configCommand({ gateway, shipper });
    },
  ],
  ['el', async (onExit) => (await import('./commands/el.ts')).elCommand(onExit)],
  ['policies', async () => (await import('./commands/policies.ts')).policiesCommand()],
  ['version', async () => (await import('./commands/version.ts')).versionCommand()],
]);
