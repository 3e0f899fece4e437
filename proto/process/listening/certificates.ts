import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';

import type { Clock } from '../clock.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { warnOfEnded } from '../pem-files.ts';
import { filesOf, type ListenTlsSettings, readListenTls } from './tls-settings.ts';
import type { TlsOptions } from './tls.ts';

/** The certificates of a listener as they were last read and found good. */
export interface Certificates {
  readonly settings: ListenTlsSettings | undefined;
  /** Undefined without TLS. */
  current(): TlsOptions | undefined;
  /** Why what lies in the files now is not in use; undefined when it is. */
  problem(): string | undefined;
  /**
   * Reads the files again and hands them to `take`; they are current once it has taken them.
   *
   * Files that cannot be read or do not fit together, and a refusal by `take`, are an ERROR in the log that names the file;
   * what was current stays, and the result is false, as without TLS.
   */
  reload(take: TakeCertificates): Promise<boolean>;
}

/** Puts certificates in the place of those before. */
export type TakeCertificates = (tls: TlsOptions) => Promise<void> | void;

/** Reads the certificates of a listener. Errors: config.invalid, with the file. */
export async function openCertificates(
  settings: ListenTlsSettings | undefined,
  { log, clock }: { readonly log: Log; readonly clock: Clock },
): Promise<Certificates> {
  const read = (before?: TlsOptions) => readListenTls(settings, { nowMs: clock.now(), before });
  const warn = (tls: TlsOptions | undefined): void => warnOfEnded(tls?.certificates ?? [], clock.now(), log);
  const facts = { files: filesOf(settings) };
  let current = await read();
  let problem: string | undefined;
  warn(current);
  if (settings?.selfSigned === true) sayMade(current, log);
  let turn: Promise<unknown> = Promise.resolve();
  const reload = async (take: TakeCertificates): Promise<boolean> => {
    if (current === undefined) return false;
    try {
      const next = (await read(current)) ?? current;
      await take(next);
      current = next;
      problem = undefined;
      log.info(facts, 'certificates were read again and are in use');
      warn(current);
      return true;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
      log.error({ err: error, ...facts }, 'certificates cannot be used; the ones before stay in use');
      return false;
    }
  };
  return {
    settings,
    current: () => current,
    problem: () => problem,
    reload(take) {
      // Two signals in a row: the second must not overtake the first.
      const done = turn.then(() => reload(take));
      turn = done;
      return done;
    },
  };
}

/** Who tries it out compares this with what his client shows. */
function sayMade(tls: TlsOptions | undefined, log: Log): void {
  const [made] = tls?.certificates ?? [];
  if (made === undefined) return;
  const { fingerprint256, validToDate } = new X509Certificate(made.cert);
  log.info(
    { fingerprintSha256: fingerprint256, validTo: validToDate.toISOString() },
    'a certificate was made for this start (selfSigned); no client has a reason to trust it',
  );
}

/** Whose files are followed, and by whom. */
export interface FollowOptions {
  /** For the log, e.g. `certificates`. */
  readonly name: string;
  readonly take: TakeCertificates;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
}

/**
 * Has certificates read again on SIGHUP, and when their files have changed.
 *
 * Looked at, not watched: a folder that is mounted tells of nothing, and a secret of Kubernetes is a link that leads elsewhere at once. Files
 * that change are read when they have stood still from one look to the next: a certificate and its key are written one after the other.
 */
export function followCertificates(
  certificates: Certificates,
  { name, take, clock, lifecycle }: FollowOptions,
): void {
  const { settings } = certificates;
  const files = filesOf(settings);
  if (settings === undefined || files.length === 0) return;
  let seen = stateOf(files);
  let read = seen;
  lifecycle.onReload(name, () => {
    read = stateOf(files);
    return certificates.reload(take);
  });
  const follow = async (): Promise<void> => {
    while (!lifecycle.signal.aborted) {
      await clock.delay(settings.lookEveryMs, lifecycle.signal);
      const now = stateOf(files);
      const stands = now === seen;
      seen = now;
      if (!stands || now === read || lifecycle.signal.aborted) continue;
      read = now;
      await certificates.reload(take);
    }
  };
  lifecycle.task(`files of ${name}`, follow());
}

function stateOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? '' : `${stat.mtimeMs}/${stat.size}/${stat.ino}`;
    })
    .join();
}
