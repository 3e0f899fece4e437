import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

import { directoryPlaceOf } from '../../proto/resources/auth-provider-ldap-resource.ts';
import type { Authenticated, Credentials } from '../policies/served.ts';
import type { Directory, DirectoryLogin, ResourceFactory } from './resource.ts';

/** All that is remembered of users by one resource, nearly. */
const rememberedBytesMax = 16 * 1024 * 1024;
/** What one takes beside his attributes, nearly. */
const userBytes = 300;

interface Remembered {
  readonly said: Authenticated;
  readonly untilMs: number;
  readonly bytes: number;
}

/** Users of a directory. Who was let in is remembered by a digest that nobody outside of this process could make. */
export const authProviderLdap: ResourceFactory<'auth-provider-ldap-resource'> = (
  config,
  { directories, guard, clock, name },
) => {
  const place = directoryPlaceOf(config);
  for (const server of place.servers) guard.checkHost(server);
  const key = randomBytes(32);
  const digest = ({ username, password }: Credentials): string =>
    createHmac('sha256', key).update(`${username.length}:${username}${password}`).digest('base64');
  const remembered = new LRUCache<string, Remembered>({
    max: config.cacheMaxElements,
    maxSize: rememberedBytesMax,
    sizeCalculation: ({ bytes }) => bytes,
  });
  let directory: Directory | undefined;
  const ask = async (asked: Directory, credentials: Credentials, seen: string): Promise<Authenticated> => {
    const login = await asked.login(credentials);
    if (login.kind === 'refused') return { kind: 'unknown' };
    if (login.kind === 'unavailable') return { kind: 'unavailable', why: `${name}: ${login.why}` };
    const known = knownAs(login, config.attributes);
    remembered.set(seen, { ...known, untilMs: clock.monotonicMs() + config.cacheTimeToLive });
    return known.said;
  };
  return {
    authentication: {
      authenticate(credentials) {
        // A directory takes a name without a password for nobody, and lets nobody in (RFC 4513 section 5.1.2).
        if (credentials.password === '') return { kind: 'unknown' };
        if (directory === undefined) return { kind: 'unavailable', why: `${name}: is closed` };
        const seen = digest(credentials);
        const found = remembered.get(seen);
        if (found !== undefined && found.untilMs > clock.monotonicMs()) return found.said;
        return ask(directory, credentials, seen);
      },
    },
    start: () => void (directory = directories.open(place)),
    release() {
      directory?.close();
      directory = undefined;
      remembered.clear();
    },
  };
};

function knownAs(
  { dn, attributes: found }: Extract<DirectoryLogin, { kind: 'known' }>,
  wanted: readonly string[],
): Pick<Remembered, 'said' | 'bytes'> {
  const attributes = new Map<string, unknown>();
  let bytes = userBytes + 2 * dn.length;
  for (const attribute of wanted) {
    const values = found.get(attribute.toLowerCase()) ?? [];
    if (values.length > 0) attributes.set(attribute, values.length === 1 ? values[0] : values);
    bytes += values.reduce((sum, value) => sum + 2 * value.length + userBytes, 0);
  }
  return { said: { kind: 'known', user: dn, attributes }, bytes };
}
