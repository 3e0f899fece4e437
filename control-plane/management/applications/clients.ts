import { Fault } from '../../../proto/faults/fault.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { Queries } from '../../storage/storage.ts';
import type { Change } from '../desk.ts';
import { clientIdCharsMax, clientIdOf, clientIdsOf } from './application-shape.ts';
import type { ApplicationRow } from './applications.store.ts';
import { releaseClient, takeClient } from './clients.store.ts';

/** Most rivals that are named in the log. */
const namedMax = 100;

/**
 * Takes the client id of an application as its settings have it now.
 *
 * Errors: application.clientId.exists where another application of the environment has it: it could not be told who calls. One that shares
 * its id with an older one from a time when nobody looked may keep it. request.invalid where its settings name two.
 */
export async function holdClient(now: Change, application: ApplicationRow): Promise<void> {
  checkClientIds(application);
  const before = await releaseClient(now.trx, now.at, application.id);
  const clientId = clientIdOf(application);
  if (clientId === undefined) return;
  const row = { ...now.at, application_id: application.id, client_id: clientId, rival_of: null };
  if (await takeClient(now.trx, row)) return;
  if (before?.client_id === clientId && (await takeClient(now.trx, before))) return;
  // Whose it is, is that one's own matter.
  throw new Fault('application.clientId.exists', {
    detail: `The client id "${clientId}" is another application's already.`,
    parameters: { clientId },
  });
}

/** An application is one client. */
function checkClientIds(application: ApplicationRow): void {
  const { app, oauth } = clientIdsOf(application);
  if (oauth === undefined) return;
  const message =
    typeof oauth !== 'string' || oauth === '' || oauth.length > clientIdCharsMax
      ? `must be a text of 1 to ${clientIdCharsMax} characters`
      : app !== undefined && app !== oauth
        ? 'is not settings.app.client_id; an application has one client id'
        : undefined;
  if (message !== undefined)
    throw new Fault('request.invalid', { details: [{ path: 'settings.oauth.client_id', message }] });
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
