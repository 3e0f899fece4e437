import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Queries } from '../../storage/storage.ts';
import type { Desk } from '../desk.ts';
import {
  type EnvironmentRow,
  listEnvironmentRows,
  resolveEnvironment,
  resolveOrganization,
} from './tenants.store.ts';

/** An organization as it is answered. */
export const organizationSchema = z
  .object({ id: z.string(), name: z.string(), description: z.string(), hrids: z.array(z.string()) })
  .openapi('Organization');
/** An environment as it is answered. */
export const environmentSchema = organizationSchema
  .extend({ organizationId: z.string() })
  .openapi('Environment');

/** An organization as it is answered. */
export type OrganizationView = z.infer<typeof organizationSchema>;
/** An environment as it is answered. */
export type EnvironmentView = z.infer<typeof environmentSchema>;

/** The organization. */
export async function getOrganization(desk: Desk, organization: string): Promise<OrganizationView> {
  const row = await resolveOrganization(desk.storage.db, organization);
  if (row === undefined) throw new Fault('request.not_found');
  return { id: row.id, name: row.name, description: row.description, hrids: [row.hrid] };
}

/** The id of an organization that is named by its id or human-readable id. Errors: request.not_found. */
export async function demandOrganization(db: Queries, named: string): Promise<string> {
  const found = await resolveOrganization(db, named);
  if (found !== undefined) return found.id;
  throw new Fault('request.not_found', {
    detail: `There is no organization "${named}".`,
    hint: 'Give its id or human-readable id; the first start of a control plane makes DEFAULT.',
  });
}

/** The id of an environment that is named by it or by its readable id. Errors: request.not_found. */
export async function demandEnvironment(db: Queries, organization: string, named: string): Promise<string> {
  const environment = await resolveEnvironment(db, organization, named);
  if (environment !== undefined) return environment.id;
  throw new Fault('request.not_found', { detail: `There is no environment ${JSON.stringify(named)}.` });
}

/** The environments of the organization. */
export async function listEnvironments(
  desk: Desk,
  organization: string,
): Promise<readonly EnvironmentView[]> {
  return (await listEnvironmentRows(desk.storage.db, organization)).map(environmentView);
}

/** One environment. */
export async function getEnvironment(desk: Desk, at: EnvironmentRef): Promise<EnvironmentView> {
  const row = await resolveEnvironment(desk.storage.db, at.organization, at.environment);
  if (row === undefined) throw new Fault('request.not_found');
  return environmentView(row);
}

/** An environment as it is answered. */
export function environmentView(row: EnvironmentRow): EnvironmentView {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    hrids: [row.hrid],
    organizationId: row.organization,
  };
}
