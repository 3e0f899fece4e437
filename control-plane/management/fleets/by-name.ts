import type { z } from 'zod';
import { Fault } from '../../../proto/faults/fault.ts';
import { detailsOf } from '../../../proto/faults/issues.ts';
import type { Desk } from '../desk.ts';
import { listFleets, type FleetAnswer } from './fleets.ts';

const namesMax = 20;

/** The fleet with that id or name. Errors: request.not_found, which names those that there are. */
export async function requireFleetNamed(
  desk: Desk,
  organization: string,
  nameOrId: string,
): Promise<FleetAnswer> {
  const fleets = await listFleets(desk, organization);
  const found = fleets.find(({ id }) => id === nameOrId) ?? fleets.find(({ name }) => name === nameOrId);
  if (found !== undefined) return found;
  const names = fleets.slice(0, namesMax).map(({ name }) => `"${name}"`);
  const more = fleets.length > namesMax ? ` and ${fleets.length - namesMax} more` : '';
  throw new Fault('request.not_found', {
    detail: `There is no fleet "${nameOrId}"; there are: ${names.join(', ')}${more}.`,
    hint: `Make it: isthmus fleet create ${nameOrId}`,
  });
}

/** What the command line says, by the schema of the management API. Errors: config.invalid with all faults at once. */
export function parseWish<Schema extends z.ZodType>(schema: Schema, said: unknown): z.output<Schema> {
  const parsed = schema.safeParse(said);
  if (parsed.success) return parsed.data;
  throw new Fault('config.invalid', { details: detailsOf(parsed.error.issues) });
}
