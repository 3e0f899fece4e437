import { Fault } from '../../../proto/faults/fault.ts';
import type { Queries } from '../../storage/storage.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { findPage } from '../documentation/documentation.store.ts';
import type { PlanRow } from './plans.store.ts';

type OfApi = Pick<ApiRow, 'organization' | 'environment' | 'id'>;

/** Whether an API has this page. */
export async function isPageOf(
  db: Queries,
  { organization, environment, id }: OfApi,
  pageId: string,
): Promise<boolean> {
  const page = await findPage(db, { at: { organization, environment }, id }, pageId);
  return page !== undefined && page.type !== 'FOLDER';
}

/**
 * The general conditions of a plan are a page of its API; what a plan has already stays.
 *
 * Errors: request.invalid.
 */
export async function demandConditions(
  db: Queries,
  api: OfApi,
  { wished, kept }: { readonly wished: string | undefined; readonly kept?: Pick<PlanRow, 'definition'> },
): Promise<void> {
  if (wished === undefined) return;
  const { generalConditions: held } = JSON.parse(kept?.definition ?? '{}') as {
    readonly generalConditions?: string;
  };
  if (wished === held || (await isPageOf(db, api, wished))) return;
  throw new Fault('request.invalid', {
    details: [{ path: 'generalConditions', message: 'must be the id of a page of this API' }],
  });
}
