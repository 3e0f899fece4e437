import { join } from 'node:path';
import type { Command } from 'commander';
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
      'ISTHMUS_BRIDGE__DATABASE__URL=postgresql://isthmus:secret@db/isthmus isthmus bridge',
      'isthmus bridge --set listen.tls.certFile=bridge.pem --set listen.tls.keyFile=bridge.key',
    ],
  });
  return withConfig(command).action(async (flags: ConfigFlags) => {
    const { config } = loadFor(bridgeProcessSchema, { process: 'bridge', flags });
    const code = await runProcess({ name: 'bridge', level: config.log.level }, async (parts) => {
      const { startBridge } = await import('../../bridge/start.ts');
      const { openStorage } = await import('../../control-plane/storage/storage.ts');
      const { openBlobs } = await import('../../control-plane/storage/blobs/settings.ts');
      const { createPublishedRepository } = await import('../../control-plane/publish/repository.ts');
      const storage = await openStorage({
        url: config.database.url,
        dataDir: config.dataDir,
        log: parts.log,
      });
      parts.lifecycle.onClose('storage', () => storage.close());
      const { url } = await startBridge({
        ...parts,
        config,
        repository: createPublishedRepository({ storage, clock: parts.clock }),
        blobs: openBlobs(config.blobs, join(config.dataDir, 'blobs')),
      });
      say(`bridge listening on ${url}`);
    });
    onExit(code);
  });
}
