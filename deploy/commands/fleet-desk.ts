import type { Actor } from '../../control-plane/access/actor.ts';
import type { Desk } from '../../control-plane/management/desk.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { loadFor, type ConfigFlags } from '../command.ts';
import { databaseCommandSchema } from '../processes.ts';
import { createCommandLog } from '../terminal.ts';

/** An organization's desk for somebody who works at the control plane's machine. */
export interface MachineDesk {
  readonly desk: Desk;
  readonly actor: Actor;
  readonly organization: string;
}

/**
 * Works at the desk with the control plane's own settings, beside a control plane that runs or not. Whoever may read its database and its
 * keys needs no password; the audit says `cli`.
 *
 * Errors: storage.* when there is no database, secrets.no_key without the control plane's keys, request.not_found for the organization.
 */
export async function atTheDesk<T>(
  flags: ConfigFlags & { readonly organization: string },
  work: (at: MachineDesk) => Promise<T>,
): Promise<T> {
  const { config } = loadFor(databaseCommandSchema, { process: 'control-plane', flags });
  const log = createCommandLog();
  const clock = systemClock;
  const { openStorage } = await import('../../control-plane/storage/storage.ts');
  const { openKeyringOf } = await import('../../control-plane/publish/sealed.ts');
  const { openDesk } = await import('../../control-plane/open-desk.ts');
  const { operator } = await import('../../control-plane/management/fleets/reseat.ts');
  const { demandOrganization } = await import('../../control-plane/management/tenants/tenants.ts');
  const storage = await openStorage({
    url: config.database.url,
    dataDir: config.dataDir,
    log,
    mode: 'existing',
  }).catch((error: unknown) => {
    throw error instanceof Fault && error.code === 'storage.missing' ? elsewhere(error) : error;
  });
  try {
    const keyring = await openKeyringOf(storage.db, {
      dir: config.secrets.dir ?? foldersOf(config.dataDir).secrets,
    });
    const { desk } = openDesk({ storage, keyring, clock, log, config });
    const organization = await demandOrganization(storage.db, flags.organization);
    return await work({ desk, actor: operator(organization), organization });
  } finally {
    await storage.close();
  }
}

/** Whoever works at the desk of a control plane wants the one that there is, and no new one. */
const elsewhere = (cause: Fault): Fault =>
  new Fault('storage.missing', {
    detail: cause.detail,
    hint: "Run it in the control plane's folder, or say where that is, as in: isthmus fleet list --data-dir <folder>, or with --config <its isthmus.yaml>.",
    cause,
  });
