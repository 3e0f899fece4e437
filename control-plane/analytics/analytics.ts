import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Duck } from './duck.ts';
import type { LakeCache } from './lake-cache.ts';
import { literal } from './lake-columns.ts';
import type { LakeStore } from './lake.store.ts';
import { holes, type OffsetRange } from './ranges.ts';

/** Records of one API in a span of time; ms since the epoch, `toMs` exclusive. */
export interface ApiSpan extends EnvironmentRef {
  readonly api: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Offsets of one spool that have not arrived although later ones have. */
export interface SpoolHoles {
  readonly spool: string;
  readonly gateway: string;
  readonly holes: readonly OffsetRange[];
}

/** Questions to the lake. Errors: analytics.failed, analytics.overloaded, storage.unavailable, blobs.unavailable. */
export interface Analytics {
  requestsCount(span: ApiSpan): Promise<{
    readonly total: number;
    /** e.g. { 'http-proxy': 50 } */
    readonly countsByEntrypoint: Readonly<Record<string, number>>;
  }>;
  /** By hundreds of the status, in the reference's spelling: { '100.0-200.0': 0, '200.0-300.0': 50, ... }. */
  responseStatusRanges(span: ApiSpan): Promise<{
    readonly ranges: Readonly<Record<string, number>>;
    readonly rangesByEntrypoint: Readonly<Record<string, Readonly<Record<string, number>>>>;
  }>;
  /** What was lost or is still on its way; spools without holes are left out. */
  holes(at: EnvironmentRef): Promise<readonly SpoolHoles[]>;
}

/** What the questions are put to. */
export interface AnalyticsOptions {
  readonly store: LakeStore;
  readonly cache: LakeCache;
  readonly duck: Duck;
}

const classes = [1, 2, 3, 4, 5];
const rangeName = (hundreds: number): string => `${hundreds}00.0-${hundreds + 1}00.0`;

/** Makes the room's answers out of the files of the manifest, and of no other. */
export function createAnalytics({ store, cache, duck }: AnalyticsOptions): Analytics {
  const count = async (
    span: ApiSpan,
  ): Promise<
    readonly { readonly entrypoint: string; readonly hundreds: number; readonly count: number }[]
  > => {
    const { organization, environment } = span;
    const files = await store.files(span, span);
    const paths = await cache.paths(files.map((file) => ({ ...file, organization, environment })));
    if (paths.length === 0) return [];
    const rows = await duck.query(
      `SELECT coalesce(entrypoint_id, 'http-proxy') AS entrypoint, status // 100 AS hundreds, count(*)::DOUBLE AS count ` +
        `FROM read_parquet([${paths.map(literal).join(', ')}]) WHERE type = 'v4-metrics' AND api_id = ${literal(span.api)} ` +
        `AND env_id = ${literal(span.environment)} AND org_id = ${literal(span.organization)} ` +
        `AND timestamp >= epoch_ms(${Math.trunc(span.fromMs)}) AND timestamp < epoch_ms(${Math.trunc(span.toMs)}) GROUP BY ALL`,
    );
    return rows.map((row) => ({
      entrypoint: String(row['entrypoint']),
      hundreds: Number(row['hundreds']),
      count: Number(row['count']),
    }));
  };
  return {
    async requestsCount(span) {
      // What stands in records is foreign, so it keys a Map: an entrypoint may call itself __proto__.
      const counts = new Map<string, number>();
      let total = 0;
      for (const row of await count(span)) {
        counts.set(row.entrypoint, (counts.get(row.entrypoint) ?? 0) + row.count);
        total += row.count;
      }
      return { total, countsByEntrypoint: Object.fromEntries(counts) };
    },
    async responseStatusRanges(span) {
      const empty = (): Map<string, number> => new Map(classes.map((hundreds) => [rangeName(hundreds), 0]));
      const ranges = empty();
      const byEntrypoint = new Map<string, Map<string, number>>();
      for (const { entrypoint, hundreds, count: found } of await count(span)) {
        // A request whose client went before a head left has status 0 and belongs to no range.
        if (!classes.includes(hundreds)) continue;
        const name = rangeName(hundreds);
        const own = byEntrypoint.get(entrypoint) ?? empty();
        byEntrypoint.set(entrypoint, own);
        for (const into of [own, ranges]) into.set(name, (into.get(name) ?? 0) + found);
      }
      return {
        ranges: Object.fromEntries(ranges),
        rangesByEntrypoint: Object.fromEntries(
          [...byEntrypoint].map(([entrypoint, own]) => [entrypoint, Object.fromEntries(own)]),
        ),
      };
    },
    async holes(at) {
      const found: SpoolHoles[] = [];
      for (const { spool, gateway } of await store.spools(at)) {
        const missing = holes(await store.covered(at, spool));
        if (missing.length > 0) found.push({ spool, gateway, holes: missing });
      }
      return found;
    },
  };
}
