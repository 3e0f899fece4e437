import type { LandingKey } from './blobs.ts';

const segment = '[A-Za-z0-9._-]{1,128}';
const keyPattern = new RegExp(
  `^landing/(v1|v1-logs)/org=(${segment})/env=(${segment})/fleet=(${segment})/gateway=(${segment})/` +
    `([0-9a-f]{32})/(0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})-([0-9a-f]{8})\\.ndjson\\.zst$`,
);

/** The folder that the objects of a stream lie in, by tenant: `landing/v1/`. */
export const landingFolder = (stream: LandingKey['stream']): string =>
  `landing/${stream === 'records' ? 'v1' : 'v1-logs'}/`;

/** Writes a landing key, e.g. `landing/v1/org=o/env=e/fleet=f/gateway=g/<spool>/0-41-1a2b3c4d.ndjson.zst`. */
export function formatLandingKey(key: LandingKey): string {
  return (
    `${landingFolder(key.stream)}org=${key.organization}/env=${key.environment}/fleet=${key.fleet}/gateway=${key.gateway}/` +
    `${key.spool}/${key.first}-${key.last}-${key.hash8}.ndjson.zst`
  );
}

/** Reads a landing key; undefined for whatever formatLandingKey does not write. */
export function parseLandingKey(text: string): LandingKey | undefined {
  // The longest key has far less; the bound keeps the pattern from long input.
  if (text.length > 1_024) return undefined;
  const match = keyPattern.exec(text);
  if (match === null) return undefined;
  const [, version, organization, environment, fleet, gateway, spool, first, last, hash8] = match;
  if (
    organization === undefined ||
    environment === undefined ||
    fleet === undefined ||
    gateway === undefined ||
    spool === undefined ||
    hash8 === undefined
  ) {
    return undefined;
  }
  // `.` and `..` are names of folders and never of tenants.
  if ([organization, environment, fleet, gateway].some((part) => /^\.+$/.test(part))) return undefined;
  const range = { first: Number(first), last: Number(last) };
  if (!Number.isSafeInteger(range.first) || !Number.isSafeInteger(range.last) || range.last < range.first)
    return undefined;
  return {
    stream: version === 'v1' ? 'records' : 'logs',
    organization,
    environment,
    fleet,
    gateway,
    spool,
    ...range,
    hash8,
  };
}
