import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { collectOldSooner } from '../../proto/process/heap/old-generation.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { holdFolder } from '../../proto/process/disk/folder-hold.ts';
import { shipperConfigSchema } from '../../shipper/config.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { runProcess } from '../run-process.ts';
import { say } from '../terminal.ts';

/** `isthmus shipper`. */
export function shipperCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'shipper',
    summary: "Runs the shipper that carries a gateway's records upstream.",
    examples: [
      'isthmus shipper --data-dir /var/lib/isthmus-gateway     # the folder of the gateway beside it',
      'isthmus shipper --config isthmus.yaml',
      'isthmus shipper --set output=folder --set folder.dir=/mnt/bucket',
    ],
  });
  return withConfig(command).action(async (flags: ConfigFlags) => {
    const read = () => loadFor(shipperConfigSchema, { process: 'shipper', flags }).config;
    const config = read();
    // The gateway beside it makes this folder when it enrols; waiting for a mistyped one would never end.
    if (!existsSync(config.dataDir))
      throw new Fault('config.invalid', {
        detail: `There is no folder ${config.dataDir}.`,
        details: [{ path: 'dataDir', message: `there is no folder ${config.dataDir}` }],
        hint: "It is the gateway's data folder: check it for a slip, or run isthmus enroll or isthmus gateway first.",
      });
    const wish = { name: 'shipper', level: config.log.level, reload: { settings: config, read } };
    const code = await runProcess(wish, async (parts) => {
      holdFolder(config.dataDir, 'shipper', parts);
      const { startShipper } = await import('../../shipper/start.ts');
      const { adminPort } = await startShipper({ ...parts, config });
      collectOldSooner();
      say(`shipper running, node API on port ${adminPort}`);
    });
    onExit(code);
  });
}
