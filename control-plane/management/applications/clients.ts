import { Fault } from '../../../proto/faults/fault.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { Queries } from '../../storage/storage.ts';
import type { Change } from '../desk.ts';
import { clientIdOf } from './application-shape.ts';
import type { ApplicationRow } from './applications.store.ts';
import { releaseClient, takeClient } from './clients.store.ts';

/** Most rivals that are named in the log. */
const namedMax = 100;

/**
 * Takes the client id of an application as its settings have it now.
 *
 * Errors: application.client_id_taken where another application of the environment has it: it could not be told who calls. One that shares
 * its id with an older one from a time when nobody looked may keep it.
 */
export async function holdClient(now: Change, application: ApplicationRow): Promise<void> {
  const before = await releaseClient(now.trx, now.at, application.id);
  const clientId = clientIdOf(application);
  if (clientId === undefined) return;
  const row = { ...now.at, application_id: application.id, client_id: clientId, rival_of: null };
  if (await takeClient(now.trx, row)) return;
  if (before?.client_id === clientId && (await takeClient(now.trx, before))) return;
  // Whose it is, is that one's own matter.
  throw new Fault('application.client_id_taken', {
    detail: `The client id "${clientId}" is another application's already.`,
  });
}

/** Tells which applications share a client id from a time when nobody looked: which of them a token stands for is left to chance. */
export async function tellRivals(db: Queries, log: Pick<Log, 'warn'>): Promise<void> {
  const rivals = await db
    .selectFrom('application_client')
    .select(['environment', 'application_id as application', 'rival_of as other'])
    .where('rival_of', 'is not', null)
    .orderBy('application_id')
    .limit(namedMax)
    .execute();
  if (rivals.length === 0) return;
  log.warn(
    { applications: rivals },
    'applications share a client id, and callers with it may be taken for either: give each its own',
  );
}
