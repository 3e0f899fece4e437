import {
  type Certificates,
  followCertificates,
  type FollowOptions,
  openCertificates,
} from '../../proto/process/listening/certificates.ts';
import type { TlsOptions } from '../../proto/process/listening/tls.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import { serversOf, type ServersConfig } from './settings.ts';

/** The certificates of all servers of a gateway. */
export interface ServerCertificates {
  /** As they were last read and found good, by the id of the server; one without TLS is not there. */
  current(): ReadonlyMap<string, TlsOptions>;
  /** Why what lies in the files of some server is not in use; undefined when it is. */
  problem(): string | undefined;
  /** Has each server's files followed; see {@link followCertificates}. */
  follow(
    options: Omit<FollowOptions, 'name' | 'take'> & {
      readonly take: (server: string, tls: TlsOptions) => Promise<void> | void;
    },
  ): void;
}

/** Reads the certificates of each server. Errors: config.invalid, with the file. */
export async function openServerCertificates(
  config: ServersConfig,
  parts: { readonly log: Log; readonly clock: Clock },
): Promise<ServerCertificates> {
  const opened = new Map<string, Certificates>();
  for (const { id, tls } of serversOf(config)) opened.set(id, await openCertificates(tls, parts));
  const named = (server: string): string =>
    config.servers.length === 0 ? 'certificates' : `certificates of server ${server}`;
  return {
    current: () =>
      new Map(
        [...opened].flatMap(([server, certificates]) => {
          const tls = certificates.current();
          return tls === undefined ? [] : [[server, tls]];
        }),
      ),
    problem() {
      const problems = [...opened].flatMap(([server, certificates]) => {
        const problem = certificates.problem();
        if (problem === undefined) return [];
        return [config.servers.length === 0 ? problem : `server ${server}: ${problem}`];
      });
      return problems.length === 0 ? undefined : problems.join('; ');
    },
    follow({ take, ...options }) {
      for (const [server, certificates] of opened)
        followCertificates(certificates, {
          ...options,
          name: named(server),
          take: (tls) => take(server, tls),
        });
    },
  };
}
