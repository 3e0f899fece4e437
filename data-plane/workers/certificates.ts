import type { Clock } from '../../proto/process/clock.ts';
import { pairsOf, readListenTls, type TlsOptions } from '../../proto/process/listening/tls.ts';
import { warnOfEnded } from '../../proto/process/pem-files.ts';
import type { Log } from '../../proto/process/log.ts';
import type { GatewayConfig } from '../config.ts';

/** The listener's certificates as they were last read and found good. */
export interface Certificates {
  /** Undefined without TLS. */
  current(): TlsOptions | undefined;
  /**
   * Reads the files again and hands them to `take`; they are current once it has taken them.
   *
   * Files that cannot be read or do not fit together, and a refusal by `take`, are an ERROR in the log that names the file;
   * what was current stays, and the result is false, as without TLS.
   */
  reload(take: (tls: TlsOptions) => Promise<void> | void): Promise<boolean>;
}

/** Reads the certificates of a listener. Errors: config.invalid, with the file. */
export function openCertificates(
  listen: GatewayConfig['listen'],
  { log, clock }: { readonly log: Log; readonly clock: Clock },
): Certificates {
  const warn = (): void => warnOfEnded(pairsOf(listen.tls), clock.now(), log);
  let current = readListenTls(listen.tls);
  warn();
  let turn: Promise<unknown> = Promise.resolve();
  const reload = async (take: (tls: TlsOptions) => Promise<void> | void): Promise<boolean> => {
    if (current === undefined) return false;
    const files = { certFile: listen.tls?.certFile, keyFile: listen.tls?.keyFile };
    try {
      const next = readListenTls(listen.tls) ?? current;
      await take(next);
      current = next;
      log.info(files, 'certificates were read again and are in use');
      warn();
      return true;
    } catch (error) {
      log.error({ err: error, ...files }, 'certificates cannot be used; the ones before stay in use');
      return false;
    }
  };
  return {
    current: () => current,
    reload(take) {
      // Two signals in a row: the second must not overtake the first.
      const done = turn.then(() => reload(take));
      turn = done;
      return done;
    },
  };
}
