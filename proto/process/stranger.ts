/**
 * Names whoever answered in place of the one we dialled, for logs and health, e.g. `200 text/html by nginx/1.22.1 (via 1.1 squid)`.
 *
 * The words are a stranger's: printable ASCII only, and not many.
 */
export function describeStranger({
  status,
  headers,
}: {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}): string {
  const { 'content-type': type, server, via, location } = headers;
  return [
    String(status),
    type === undefined ? 'without content type' : tame(type),
    ...(server === undefined ? [] : [`by ${tame(server)}`]),
    ...(via === undefined ? [] : [`(via ${tame(via)})`]),
    // Only where to: its query may hold what a log-in page was told.
    ...(location === undefined ? [] : [`to ${tame(location.replace(/[?#].*$/, ''))}`]),
  ].join(' ');
}

const tame = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);
