import type { Command } from 'commander';
import { collectOldSooner } from '../../proto/process/heap/old-generation.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { bridgeProcessSchema } from '../processes.ts';
import { runProcess } from '../run-process.ts';
import { say } from '../terminal.ts';

/** `isthmus bridge`. */
export function bridgeCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'bridge',
    summary: 'Runs the bridge that gateways and shippers dial. It holds no signing key.',
    examples: [
      'isthmus bridge --data-dir /var/lib/isthmus            # beside a control plane on SQLite',
      'isthmus bridge --config isthmus.yaml                  # the same database and bucket as the control plane',
      'ISTHMUS_BRIDGE__DATABASE__URL=postgresql://isthmus_bridge:secret@db/isthmus isthmus bridge --config isthmus.yaml',
      'isthmus bridge --set listen.tls.certFile=bridge.pem --set listen.tls.keyFile=bridge.key',
    ],
  });
  return withConfig(command).action(async (flags: ConfigFlags) => {
    const read = () => loadFor(bridgeProcessSchema, { process: 'bridge', flags }).config;
    const config = read();
    const wish = { name: 'bridge', level: config.log.level, reload: { settings: config, read } };
    const code = await runProcess(wish, async (parts) => {
      const { openBridgeParts } = await import('../bridge-parts.ts');
      const { startBridge } = await import('../../bridge/start.ts');
      const { createPublishedRepository } = await import('../../control-plane/publish/repository.ts');
      const { storage, blobs } = await openBridgeParts(config, parts);
      const repository = createPublishedRepository({ storage, clock: parts.clock });
      const bridge = await startBridge({ ...parts, config, repository, blobs });
      collectOldSooner();
      say(`bridge listening on ${bridge.bind}, node API on port ${bridge.nodePort}`);
    });
    onExit(code);
  });
}
