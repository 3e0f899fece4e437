import type { Selectable } from 'kysely';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';
import type { ApiRef } from '../apis/api-gate.ts';

/** A picture of an API. */
interface ApiPictureTable {
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  readonly kind: PictureKind;
  type: string;
  bytes: Uint8Array;
}

declare module '../../storage/tables.ts' {
  interface Database {
    api_picture: ApiPictureTable;
  }
}

/** What a picture is for. */
export type PictureKind = 'picture' | 'background';
/** A row of api_picture. */
export type PictureRow = Selectable<ApiPictureTable>;
/** Which picture. */
export interface PictureRef extends ApiRef {
  readonly kind: PictureKind;
}

/** The picture, if the API has one. */
export function findPicture(db: Queries, { at, id, kind }: PictureRef): Promise<PictureRow | undefined> {
  return inTenant(db.selectFrom('api_picture'), at)
    .selectAll()
    .where('api_id', '=', id)
    .where('kind', '=', kind)
    .executeTakeFirst();
}

/** Writes the picture in place of the one before. */
export async function writePicture(trx: Trx, row: PictureRow): Promise<void> {
  const { type, bytes } = row;
  await trx
    .insertInto('api_picture')
    .values(row)
    .onConflict((conflict) => conflict.columns(['api_id', 'kind']).doUpdateSet({ type, bytes }))
    .execute();
}

/** Takes the picture away. */
export async function deletePicture(trx: Trx, { at, id, kind }: PictureRef): Promise<void> {
  await inTenant(trx.deleteFrom('api_picture'), at)
    .where('api_id', '=', id)
    .where('kind', '=', kind)
    .execute();
}
