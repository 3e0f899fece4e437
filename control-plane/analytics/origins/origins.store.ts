import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { databaseNowMs, readNow } from '../../storage/leases.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Storage } from '../../storage/storage.ts';

/** A gateway as it enrolled. */
export interface EnrolledGateway {
  readonly id: string;
  readonly organization: string;
  readonly fleet: string;
  readonly enrolledAtMs: number;
  /** What it was before it enrolled again, proven by the key it had then. */
  readonly previous: string | undefined;
}

/** All sets of tags that something ever had. */
export type TagsById = ReadonlyMap<string, readonly (readonly string[])[]>;

/** What the database knows of those whose records arrive. */
export class OriginStore {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** The gateway of that id, whichever organization it is of; revoked ones too. */
  async gateway(id: string): Promise<EnrolledGateway | undefined> {
    const row = await this.#storage.db
      .selectFrom('gateway')
      .select(['id', 'organization', 'fleet', 'enrolled_at_ms', 'previous'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const { organization, fleet, enrolled_at_ms, previous } = row;
    return { id, organization, fleet, enrolledAtMs: enrolled_at_ms, previous: previous ?? undefined };
  }

  /** The environment's newest sequence number: while it stays, so does what {@link apis} says. */
  async seq({ organization, environment }: EnvironmentRef): Promise<number> {
    const row = await this.#storage.db
      .selectFrom('environment')
      .select('seq')
      .where('organization', '=', organization)
      .where('id', '=', environment)
      .executeTakeFirst();
    return row?.seq ?? 0;
  }

  /** Every API that was ever published in the environment. */
  async apis(at: EnvironmentRef): Promise<TagsById> {
    const rows = await inTenant(this.#storage.db.selectFrom('tag_history'), at)
      .select(['id', 'tags'])
      .where('kind', '=', 'api')
      .execute();
    return tagsById(rows);
  }

  /** Fleets of an organization. */
  async fleets(organization: string, ids: readonly string[]): Promise<TagsById> {
    const rows = await this.#storage.db
      .selectFrom('tag_history')
      .select(['id', 'tags'])
      .where('organization', '=', organization)
      .where('kind', '=', 'fleet')
      .where('id', 'in', ids)
      .execute();
    return tagsById(rows);
  }

  /** The database's clock, by which enrolments are dated as well. */
  async nowMs(): Promise<number> {
    const nowMs = await readNow(this.#storage.db, databaseNowMs(this.#storage.dialect));
    if (nowMs <= 0) throw new Fault('storage.unavailable', { internal: 'the database says no time' });
    return nowMs;
  }
}

function tagsById(rows: readonly { readonly id: string; readonly tags: string }[]): TagsById {
  const found = new Map<string, (readonly string[])[]>();
  for (const { id, tags } of rows) {
    const sets = found.get(id) ?? [];
    sets.push(JSON.parse(tags) as readonly string[]);
    found.set(id, sets);
  }
  return found;
}
