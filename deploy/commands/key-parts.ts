import type { Desk } from '../../control-plane/management/desk.ts';
import { type Clock, systemClock } from '../../proto/process/clock.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import { type ConfigFlags, loadFor } from '../command.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { createCommandLog } from '../terminal.ts';

/** What every command about keys takes. */
export type KeyFlags = ConfigFlags & { readonly json?: true; readonly yes?: true };

/** Who the audit says that it was. */
export const operator = 'isthmus keys';

/** What is open while such a command works. */
export interface KeyParts {
  readonly storage: Desk['storage'];
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Log;
  readonly desk: Desk;
  /** Where the key file is. */
  readonly secretsDir: string;
  readonly dataDir: string;
}

/** The id of an organization that is named by its id or human-readable id. Errors: request.not_found. */
export async function organizationOf({ storage }: Pick<KeyParts, 'storage'>, named: string): Promise<string> {
  const { demandOrganization } = await import('../../control-plane/management/tenants/tenants.ts');
  return demandOrganization(storage.db, named);
}

/** Opens the control plane's database and its keys, beside control planes that run. */
export async function withKeys(flags: KeyFlags, work: (parts: KeyParts) => Promise<void>): Promise<void> {
  const { config } = loadFor(controlPlaneProcessSchema, { process: 'control-plane', flags });
  const log = createCommandLog();
  const clock = systemClock;
  const { openStorage } = await import('../../control-plane/storage/storage.ts');
  const { openKeyringOf } = await import('../../control-plane/publish/sealed.ts');
  const { openDesk } = await import('../../control-plane/open-desk.ts');
  const { dataDir, database } = config;
  // A restore that is asked for meanwhile is refused.
  const hold = { onLost: () => undefined };
  const storage = await openStorage({ url: database.url, dataDir, log, mode: 'existing', hold });
  try {
    const secretsDir = config.secrets.dir ?? foldersOf(dataDir).secrets;
    const keyring = await openKeyringOf(storage.db, { dir: secretsDir });
    const { desk } = openDesk({ storage, keyring, clock, log, config });
    await work({ storage, keyring, clock, log, desk, secretsDir, dataDir });
  } finally {
    await storage.close();
  }
}
