import type { Snapshot } from './snapshots.ts';

/**
 * Answers a snapshot with validators and single ranges, so that a download over a bad line resumes.
 *
 * Source: RFC 9110 sections 13 (If-None-Match, If-Range) and 14 (Range); a range that is not one plain interval of
 *         bytes is ignored, as the RFC allows. `body` makes what is sent of the bytes.
 */
export function answerSnapshot(
  { etag, bytes }: Snapshot,
  request: Headers,
  body: (bytes: Uint8Array) => ConstructorParameters<typeof Response>[0],
): Response {
  const headers = {
    etag,
    'accept-ranges': 'bytes',
    'content-type': 'application/zstd',
    'cache-control': 'private',
  };
  if (request.get('if-none-match') === etag) return new Response(null, { status: 304, headers });
  const ifRange = request.get('if-range');
  const wanted =
    ifRange === null || ifRange === etag ? rangeOf(request.get('range'), bytes.length) : undefined;
  if (wanted === undefined)
    return new Response(body(bytes), {
      status: 200,
      headers: { ...headers, 'content-length': String(bytes.length) },
    });
  if (wanted === 'unsatisfiable') {
    return new Response(null, {
      status: 416,
      headers: { ...headers, 'content-range': `bytes */${bytes.length}` },
    });
  }
  const { first, last } = wanted;
  return new Response(body(bytes.subarray(first, last + 1)), {
    status: 206,
    headers: {
      ...headers,
      'content-length': String(last - first + 1),
      'content-range': `bytes ${first}-${last}/${bytes.length}`,
    },
  });
}

function rangeOf(
  text: string | null,
  length: number,
): { readonly first: number; readonly last: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=([0-9]{1,15})-([0-9]{0,15})$/.exec(text ?? '');
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === '' ? length - 1 : Math.min(Number(match[2]), length - 1);
  return first >= length || last < first ? 'unsatisfiable' : { first, last };
}
