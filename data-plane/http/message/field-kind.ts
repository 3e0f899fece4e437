/**
 * The field names that an engine itself has to know.
 *
 * `none` is any other name. The numbers from `connection` to `http2Settings` are hop-by-hop or framing and never forwarded.
 */
export const kinds = {
  none: 0,
  connection: 1,
  keepAlive: 2,
  proxyConnection: 3,
  te: 4,
  trailer: 5,
  transferEncoding: 6,
  upgrade: 7,
  contentLength: 8,
  expect: 9,
  http2Settings: 10,
  host: 11,
  authorization: 12,
  date: 13,
} as const;

/** The largest kind that stays on its connection (RFC 9110 section 7.6.1); framing is regenerated from the body. */
export const lastHopByHop = kinds.http2Settings;

const names: ReadonlyMap<string, number> = new Map([
  ['connection', kinds.connection],
  ['keep-alive', kinds.keepAlive],
  ['proxy-connection', kinds.proxyConnection],
  ['te', kinds.te],
  ['trailer', kinds.trailer],
  ['transfer-encoding', kinds.transferEncoding],
  ['upgrade', kinds.upgrade],
  ['content-length', kinds.contentLength],
  ['expect', kinds.expect],
  ['http2-settings', kinds.http2Settings],
  ['host', kinds.host],
  ['authorization', kinds.authorization],
  ['date', kinds.date],
]);

interface Candidate {
  readonly kind: number;
  /** In lower case. */
  readonly bytes: Uint8Array;
}

const longest = 17;
// Most names are told from the known ones by their length alone.
const byLength: readonly (readonly Candidate[])[] = Array.from({ length: longest + 1 }, (_, length) =>
  [...names]
    .filter(([name]) => name.length === length)
    .map(([name, kind]) => ({ kind, bytes: Buffer.from(name) })),
);

/** The kind of the field name at bytes[start..end). */
export function kindOfBytes(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > longest) return kinds.none;
  const candidates = byLength[length];
  if (candidates === undefined) return kinds.none;
  // An indexed loop: this runs for every field of every request.
  for (let at = 0; at < candidates.length; at += 1) {
    const candidate = candidates[at];
    if (candidate !== undefined && isSame(candidate.bytes, bytes, start)) return candidate.kind;
  }
  return kinds.none;
}

/** `|0x20` folds letters; it also maps some marks onto others (`M` and CR apart), none of which is in a known name. */
function isSame(name: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const byte = bytes[start + at] ?? 0;
    const want = name[at] ?? 0;
    if ((want >= 0x61 ? byte | 0x20 : byte) !== want) return false;
  }
  return true;
}

/** The kind of a field name. */
export function kindOfName(name: string): number {
  if (name.length > longest || byLength[name.length]?.length === 0) return kinds.none;
  return names.get(name.toLowerCase()) ?? kinds.none;
}

/** Names of authentication at a proxy; they stay on their connection too, but an engine without a proxy does not read them. */
const ofProxies = /^proxy-auth(?:enticate|entication-info|orization)$/i;

/** Whether a field of this name is of the connection or of the framing: whoever sets it, it is not sent. */
export function isHopByHop(name: string): boolean {
  const kind = kindOfName(name);
  return kind !== kinds.none && kind <= lastHopByHop;
}

/** Whether a field of this name is of the connection or of the framing, or names the host: it cannot carry anything else. */
export function isHopByHopOrHost(name: string): boolean {
  return isHopByHop(name) || kindOfName(name) === kinds.host || ofProxies.test(name);
}
