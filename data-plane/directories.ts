import type { Clock } from '../proto/process/clock.ts';
import type { Guard } from '../proto/process/outbound/guard.ts';
import { readAuthorities } from '../proto/process/pem-files.ts';
import type { DirectoryPlace } from '../proto/resources/auth-provider-ldap-resource.ts';
import type { GatewayConfig } from './config.ts';
import type { Directory, DirectoryGround } from './resources/resource.ts';

/** What directories of users need of this process. */
interface DirectoriesOptions {
  readonly config: Pick<GatewayConfig, 'outbound'>;
  /** Where definitions may lead. */
  readonly guard: Guard;
  readonly clock: Clock;
}

/** Opens nothing: what speaks LDAP is loaded with the first login. */
export function createDirectories({ config, guard, clock }: DirectoriesOptions): DirectoryGround {
  const { caFile } = config.outbound;
  const open = async (place: DirectoryPlace): Promise<Directory> => {
    const { openLdapDirectory } = await import('./ldap/directory.ts');
    return openLdapDirectory({
      place,
      guard,
      clock,
      ca: caFile === undefined ? undefined : readAuthorities(caFile),
    });
  };
  return {
    open(place) {
      let opening: Promise<Directory> | undefined;
      let isClosed = false;
      return {
        async login(credentials) {
          if (isClosed) return { kind: 'unavailable', why: 'is closed' };
          try {
            // A file of authorities that cannot be read now may be there for the next caller.
            opening ??= open(place);
            return await (await opening).login(credentials);
          } catch (error) {
            opening = undefined;
            return { kind: 'unavailable', why: error instanceof Error ? error.message : String(error) };
          }
        },
        close() {
          isClosed = true;
          void opening?.then(
            (directory) => directory.close(),
            () => undefined,
          );
        },
      };
    },
  };
}

/** For whoever only judges definitions: opening is a bug. */
export const noDirectories: DirectoryGround = {
  open: () => {
    throw new Error('who compiles a definition opens no directory');
  },
};
