import { randomBytes } from 'node:crypto';

import { readPassword } from '../../control-plane/access/passwords.ts';
import type { Storage } from '../../control-plane/storage/storage.ts';
import { loadFor, type ConfigFlags } from '../command.ts';
import { databaseCommandSchema } from '../processes.ts';
import { createCommandLog } from '../terminal.ts';

/** Never a flag: other users of the machine see those. */
export const passwordVariable = 'ISTHMUS_NEW_PASSWORD';

/** The password that a command gives to a user. */
export interface NewPassword {
  readonly password: string;
  /** The same where it was made here, so that somebody has to be told; undefined where the variable gave it. */
  readonly made: string | undefined;
}

/** Opens the database of the control plane for a command that gives a user a password: that of the variable, or a made one. */
export async function withNewPassword<Done>(
  flags: ConfigFlags,
  use: (storage: Storage, password: NewPassword) => Promise<Done>,
): Promise<Done> {
  const given = readPassword(process.env[passwordVariable], passwordVariable);
  const made = given === undefined ? randomBytes(18).toString('base64url') : undefined;
  const { config } = loadFor(databaseCommandSchema, { process: 'control-plane', flags });
  const { openStorage } = await import('../../control-plane/storage/storage.ts');
  const { url } = config.database;
  const log = createCommandLog();
  const storage = await openStorage({ url, dataDir: config.dataDir, log, mode: 'existing' });
  try {
    return await use(storage, { password: given ?? made ?? '', made });
  } finally {
    await storage.close();
  }
}
