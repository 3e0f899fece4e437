import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Duck } from '../duck.ts';
import { literal } from '../lake-columns.ts';
import { tenantOf } from '../questions/from.ts';
import { cubeColumns } from './cubes.ts';

/**
 * Writes what is read of requests when somebody looks for a text in URIs into a narrow copy of their file: a row for each, in its order, with its time, its URI
 * in lower case, and what of it there are few values of.
 *
 * A text may stand in any row, so that no order of a file and no sieve says where: each URI is looked at. Of the file that is a third of the work or less,
 * the rest is to unpack it, to write it in lower case and to compare the tenant three times; here it is packed so that it is soon unpacked. Hashes of
 * parts of texts would say nothing: among some thousand URIs every three or four signs stand somewhere. Errors: analytics.failed.
 */
export async function writeNarrow(
  duck: Duck,
  {
    requests,
    output,
    at,
  }: { readonly requests: string; readonly output: string; readonly at: EnvironmentRef },
): Promise<void> {
  const columns = [`${literal(tenantOf(at))} AS tenant`, 'timestamp', 'lower(uri) AS uri', ...cubeColumns];
  await duck.query(
    `COPY (SELECT ${columns.join(', ')} FROM (${requests})) TO ${literal(output)} ` +
      `(FORMAT parquet, COMPRESSION lz4_raw, PARQUET_VERSION V2)`,
  );
}
