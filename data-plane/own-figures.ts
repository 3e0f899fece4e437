import { X509Certificate } from 'node:crypto';

import type { CertificateTexts } from '../proto/process/listening/tls.ts';
import type { ReporterHealth } from './report/reporter.ts';
import type { ServerCertificates } from './servers/certificates.ts';

/**
 * What the process that follows the bridge tells of itself in its heartbeats, beside what was counted; what it does not know is left out.
 *
 * Shape:  e.g. { cpuSeconds: 12.5, residentBytes: 90_000_000, heapUsedBytes: ..., heapBytes: ..., spoolDegraded: 0, certificateEndsAtMs: ... }.
 * Units:  CPU time since the start; certificateEndsAtMs is ms since the epoch, of the certificate of a server that ends first.
 */
export function ownFigures({
  spool,
  certificates,
}: {
  readonly spool: ReporterHealth | undefined;
  readonly certificates: Pick<ServerCertificates, 'current'>;
}): Readonly<Record<string, number>> {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  const ends = [...certificates.current().values()].flatMap((tls) => tls.certificates.map(endOf));
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapBytes: heapTotal,
    ...(spool !== undefined && { spoolDegraded: spool.state === 'degraded' ? 1 : 0 }),
    ...(ends.length > 0 && { certificateEndsAtMs: Math.min(...ends) }),
  };
}

/** When certificates end, as long as these are in use: to take one apart costs more than all other figures. */
const knownEnds = new WeakMap<CertificateTexts, number>();

function endOf(pair: CertificateTexts): number {
  const known = knownEnds.get(pair);
  if (known !== undefined) return known;
  const end = new X509Certificate(pair.cert).validToDate.getTime();
  knownEnds.set(pair, end);
  return end;
}
