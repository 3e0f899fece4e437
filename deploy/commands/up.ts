import { Option, type Command } from 'commander';
import { secretParametersOf } from '../../data-plane/config.ts';
import { defaultDataDir } from '../../proto/process/data-folder.ts';
import { logLevels } from '../../proto/process/log.ts';
import { collect, createCommand, wholeNumber, portOffsetMax } from '../command.ts';
import { runProcess } from '../run-process.ts';
import { loadUpConfigs, type UpConfigs, type UpFlags } from '../up-settings.ts';

/** `isthmus up`: the whole platform on embedded defaults; what callers wait for runs in a process of its own. */
export function upCommand(onExit: (code: number) => void): Command {
  return createCommand({
    name: 'up',
    summary: 'Runs the whole platform: control plane, bridge, gateway, shipper.',
    examples: [
      'isthmus up',
      'isthmus up --data-dir /tmp/try --port-offset 1000    # gateway on 9082, management on 9083',
      'isthmus up --samples                                  # with something to look at, as npm start has it',
      'isthmus up --set gateway.workers=auto                # a setting of one of them',
      'ISTHMUS_ADMIN_PASSWORD=... isthmus up                 # instead of a made one, at the first start',
    ],
  })
    .option(
      '-d, --data-dir <folder>',
      `where everything is kept (default: what ISTHMUS_DATA_DIR says, or ${defaultDataDir})`,
    )
    .option('--samples', 'at the first start: sample APIs, applications and calls, to look at')
    .option('-p, --port-offset <number>', 'added to every port', wholeNumber(0, portOffsetMax), 0)
    .option('-c, --config <file>', 'YAML file with a section per process')
    .option(
      '-s, --set <process.path=value>',
      'sets one value of one process, e.g. gateway.workers=2; repeatable',
      collect,
      [],
    )
    .addOption(new Option('--log-level <level>', 'from this level on').choices(logLevels).default('warn'))
    .action(async (flags: UpFlags) => {
      const configs = loadUpConfigs(flags);
      const secretParameters = secretParametersOf(configs.gateway);
      // The log level of `up` is a flag; a change of anything else in its file waits for the next start, and is named.
      const settingsOf = ({ controlPlane, ...others }: UpConfigs) => ({
        log: { level: flags.logLevel },
        'control-plane': controlPlane,
        ...others,
      });
      const reload = { settings: settingsOf(configs), read: () => settingsOf(loadUpConfigs(flags)) };
      const wish = { name: 'up', level: flags.logLevel, secretParameters, reload };
      const code = await runProcess(wish, async (parts) => {
        const { up } = await import('../up.ts');
        await up({ flags, configs }, parts);
      });
      onExit(code);
    });
}
