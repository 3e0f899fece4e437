import type { Command } from 'commander';
import { logLevels, type LogLevel } from '../../proto/process/log.ts';
import { Option } from 'commander';
import { gatewayConfigSchema, secretParametersOf } from '../../data-plane/config.ts';
import { createCommand, loadFor, wholeNumber, type ConfigFlags } from '../command.ts';
import { runProcess } from '../run-process.ts';

/** What `isthmus up` was told. */
export interface UpFlags extends ConfigFlags {
  readonly dataDir: string;
  readonly portOffset: number;
  readonly logLevel: LogLevel;
}

/** The largest offset that leaves every default port below 65,536. */
const portOffsetMax = 65_535 - 18_099;

/** `isthmus up`: the whole platform in one process on embedded defaults. */
export function upCommand(onExit: (code: number) => void): Command {
  return createCommand({
    name: 'up',
    summary: 'Runs the whole platform in one process: control plane, bridge, gateway, shipper.',
    examples: [
      'isthmus up',
      'isthmus up --data-dir /tmp/try --port-offset 1000    # gateway on 9082, management on 9083',
      'ISTHMUS_ADMIN_PASSWORD=... isthmus up                 # instead of a made one, at the first start',
    ],
  })
    .option('-d, --data-dir <folder>', 'where everything is kept', './isthmus-data')
    .option('-p, --port-offset <number>', 'added to every port', wholeNumber(0, portOffsetMax), 0)
    .option('-c, --config <file>', 'YAML file with a section per process')
    .addOption(new Option('--log-level <level>', 'from this level on').choices(logLevels).default('warn'))
    .action(async (flags: UpFlags) => {
      const { config } = loadFor(gatewayConfigSchema, {
        process: 'gateway',
        flags: flags.config === undefined ? {} : { config: flags.config },
      });
      const secretParameters = secretParametersOf(config);
      const code = await runProcess(
        { name: 'up', level: flags.logLevel, secretParameters },
        async (parts) => {
          const { up } = await import('../up.ts');
          await up(flags, parts);
        },
      );
      onExit(code);
    });
}
