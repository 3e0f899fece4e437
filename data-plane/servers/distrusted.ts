import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { ClientDistrust, DistrustedClient } from '../http/exchange.ts';

/** Anybody may show certificates: so many lines in this time, one for each certificate and reason. */
const linesMax = 60;
const windowMs = 60_000;
/** A subject is as long as whoever made the certificate wished. */
const subjectCharactersMax = 256;

const words: Readonly<Record<ClientDistrust, string>> = {
  'not-yet-valid': 'its certificate is not valid yet',
  expired: 'its certificate has expired',
  unknown:
    'its certificate is of no authority in caFile of the listener and of no subscription in force on this gateway',
  missing: 'it showed no certificate, and the listener requires one',
};

/**
 * Makes what tells an operator of clients whose handshake failed by their certificate. The client sees a closed connection only.
 *
 * The first of a certificate in a minute is logged, 60 lines a minute at most; the next line says how many were left out. All are counted
 * as refusals, `client-certificate`.
 */
export function createDistrustTeller({
  log,
  clock,
}: {
  readonly log: Pick<Log, 'warn'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}): (server: string, client: DistrustedClient) => void {
  let sinceMs = -Infinity;
  let leftOut = 0;
  const told = new Set<string>();
  return (server, { reason, certificate, remoteAddress }) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - sinceMs >= windowMs) {
      sinceMs = nowMs;
      told.clear();
    }
    const fingerprintSha256 = certificate?.fingerprintSha256;
    const what = `${server} ${reason} ${fingerprintSha256}`;
    if (told.has(what) || told.size >= linesMax) {
      leftOut += 1;
      return;
    }
    told.add(what);
    const more = leftOut > 0 ? { leftOut } : {};
    leftOut = 0;
    const subject = certificate?.subject.slice(0, subjectCharactersMax);
    log.warn(
      { server, reason, fingerprintSha256, subject, peer: remoteAddress, ...more },
      `a client was refused in the TLS handshake: ${words[reason]}`,
    );
  };
}
