import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { publishedTopic } from '../../publish/publisher.ts';
import { settleSeats, type SettledSeat } from '../../publish/seats.ts';
import type { Storage } from '../../storage/storage.ts';
import { writeAudit } from '../audit/audit.store.ts';

/** Who acts when an operator works at the machine itself: whoever may read the database needs no password. */
export const operator = (organization: string): Actor => ({
  id: 'cli',
  organization,
  username: 'cli',
  displayName: 'Command line',
  roles: [{ scope: 'organization', reference: organization, name: 'ADMIN' }],
});

/**
 * Gives the seat of a gateway to the instance that is named; with audit, and bridges are told.
 *
 * Errors: request.not_found for an unknown gateway; request.conflict when nobody was refused, or the instance neither sits nor was
 *         refused last, naming those that do: between a look and a decision a copy may have pushed itself in.
 */
export async function reseatGateway(
  storage: Storage,
  wish: { readonly gateway: string; readonly instance: string | undefined; readonly nowMs: number },
): Promise<readonly SettledSeat[]> {
  const { gateway, instance, nowMs } = wish;
  const settled = await storage.transaction(async (trx) => {
    const row = await trx
      .selectFrom('gateway')
      .select(['organization', 'fleet'])
      .where('id', '=', gateway)
      .executeTakeFirst();
    if (row === undefined)
      throw new Fault('request.not_found', { detail: `There is no gateway "${gateway}".` });
    const { settled: seats, disputed } = await settleSeats(storage, trx, wish);
    if (seats.length === 0 && disputed.length === 0)
      throw new Fault('request.conflict', {
        detail: `Nobody was refused the seat of ${gateway}, so there is nothing to settle.`,
        hint: 'Start the process that should have it, then say this again.',
      });
    if (seats.length === 0)
      throw new Fault('request.conflict', {
        detail: `${instance === undefined ? 'Say which instance has the seat' : `${instance} neither sits nor was refused last`}: ${disputed.map(sayDispute).join('; ')}.`,
        hint: 'The right process says its instance in its own /health. isthmus fleet reseat <gateway> --instance <that>; if a copy keeps being the last one, enrol the gateway again.',
      });
    const { organization, fleet } = row;
    await writeAudit(trx, {
      organization,
      actor: operator(organization),
      event: 'GATEWAY_RESEATED',
      type: 'ORGANIZATION',
      id: organization,
      properties: {
        FLEET: fleet,
        GATEWAY: gateway,
        INSTANCE: instance ?? '',
        SEATS: seats.map(({ role, holder }) => `${role}=${holder.instance}`).join(' '),
      },
      nowMs,
    });
    return seats;
  });
  await storage.notifier.notify(publishedTopic, '');
  return settled;
}

function sayDispute({ role, holder, refused }: SettledSeat): string {
  const say = (who: SettledSeat['holder']): string => `${who.instance} on ${who.hostname} (${who.source})`;
  return `${role}: ${say(holder)} sits, ${say(refused)} was refused`;
}
