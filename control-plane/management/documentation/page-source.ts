import type { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { isMask } from '../../../proto/trust/sealed-text.ts';
import { hasOpenSecrets, type SecretsOwner } from '../../publish/definition-secrets.ts';
import type { Change } from '../desk.ts';
import { type PageHead, rewriteAccess } from './documentation.store.ts';
import type { DocumentationView, keptFields } from './documentation-shape.ts';
import { type PageSource as Source, serverFields } from './page-fetchers.ts';

/*
 * The URL that a page comes from may carry a key (`?private_token=x`): it is sealed as a whole then, opened when it is asked, and a mask elsewhere.
 */

/** What is kept of a page beside its columns. */
type Kept = { readonly [Name in keyof typeof keptFields]?: z.infer<(typeof keptFields)[Name]> };

const ownerOf = (pageId: string): SecretsOwner => ({ kind: 'page', id: pageId });

const sourceOf = ({ access }: Pick<PageHead, 'access'>): Pick<Kept, 'source'> => ({
  source: (JSON.parse(access) as Kept).source,
});

/** The text of the column; a mask in a source stands for what is kept. Errors: request.invalid for a mask where nothing is kept. */
export async function accessOf(
  { secrets }: Change,
  { excludedAccessControls, accessControls, configuration, source: written }: Kept,
  page: { readonly id: string; readonly before?: Pick<PageHead, 'access'> },
): Promise<string> {
  const kept = page.before && sourceOf(page.before);
  demandOwnServer(written, kept?.source);
  const { source } = await secrets.seal({ source: written }, ownerOf(page.id), kept);
  return JSON.stringify({ excludedAccessControls, accessControls, configuration, source });
}

/** Who may not read a secret must not have it sent to a server of his. Errors: request.invalid for masks beside another server. */
function demandOwnServer(written: Source | undefined, kept: Source | undefined): void {
  if (written === undefined || kept === undefined) return;
  const server = serverFields[written.type];
  const serverOf = ({ configuration }: Source): unknown => Reflect.get(configuration, server);
  if (serverOf(written) === serverOf(kept)) return;
  const masked = Object.entries(written.configuration).filter(
    ([name, value]) => name !== server && typeof value === 'string' && isMask(value),
  );
  if (masked.length > 0)
    throw new Fault('request.invalid', {
      details: masked.map(([name]) => ({
        path: `source.configuration.${name}`,
        message: 'was for another server: write it again',
      })),
    });
}

/** Where a page comes from, as it is asked. Errors: secrets.tampered, secrets.key_missing. */
export async function openedSource(
  { secrets }: Change,
  page: Pick<PageHead, 'id' | 'access'>,
): Promise<DocumentationView['source']> {
  return (await secrets.open(sourceOf(page), ownerOf(page.id))).definition.source;
}

/** Whether a secret lies open in the source of a page, as a former version kept it. */
export const isOpenSource = (page: PageSource): boolean => hasOpenSecrets(sourceOf(page));

/** Seals it. */
export async function sealSource({ trx, at, secrets }: Change, page: PageSource): Promise<void> {
  const kept = sourceOf(page);
  await rewrite({ trx, at }, page, await secrets.seal(kept, ownerOf(page.id), kept));
}

/** Seals it by the newest key; says how many texts were written. */
export async function resealSource({ trx, at, secrets }: Change, page: PageSource): Promise<number> {
  const kept = sourceOf(page);
  const { definition } = await secrets.reseal(kept, ownerOf(page.id));
  return definition === kept ? 0 : rewrite({ trx, at }, page, definition);
}

type PageSource = Pick<PageHead, 'id' | 'access'>;

function rewrite(
  { trx, at }: Pick<Change, 'trx' | 'at'>,
  page: PageSource,
  { source }: Pick<Kept, 'source'>,
): Promise<number> {
  const access = JSON.stringify({ ...(JSON.parse(page.access) as Kept), source });
  return rewriteAccess(trx, at, { ...page, to: access });
}
