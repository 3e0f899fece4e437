import type { Command } from 'commander';
import { createAnalyticsOpener } from '../analytics.ts';
import { createDebugRuns } from '../debug/debug-runs.ts';
import { holdFolder } from '../../proto/process/disk/folder-hold.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { runProcess } from '../run-process.ts';
import { print, say } from '../terminal.ts';

/** `isthmus control-plane`. */
export function controlPlaneCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'control-plane',
    summary: 'Runs the control plane: management API, publisher, ingester, analytics.',
    examples: [
      'isthmus control-plane',
      'isthmus control-plane --data-dir /var/lib/isthmus --set listen.port=8083',
      'ISTHMUS_CONTROL_PLANE__DATABASE__URL=postgresql://isthmus:secret@db/isthmus isthmus control-plane',
      'ISTHMUS_ADMIN_PASSWORD=... isthmus control-plane --config isthmus.yaml   # first boot: user admin',
    ],
  });
  return withConfig(command).action(async (flags: ConfigFlags) => {
    const read = () => loadFor(controlPlaneProcessSchema, { process: 'control-plane', flags }).config;
    const config = read();
    const wish = { name: 'control-plane', level: config.log.level, reload: { settings: config, read } };
    const code = await runProcess(wish, async (parts) => {
      holdFolder(config.dataDir, 'control-plane', parts);
      const { startControlPlane } = await import('../../control-plane/start.ts');
      const { bind, nodePort } = await startControlPlane({
        ...parts,
        config,
        adminPassword: process.env['ISTHMUS_ADMIN_PASSWORD'],
        openAnalytics: createAnalyticsOpener(config.analytics),
        openDebug: createDebugRuns,
        onBoot({ adminPassword }) {
          if (adminPassword === undefined) return;
          say('First boot. The password of the user admin is shown this once, on standard output:');
          print(adminPassword);
        },
      });
      say(`control plane listening on ${bind}/management, node API on port ${nodePort}`);
    });
    onExit(code);
  });
}
