import { Fault } from '../faults/fault.ts';
import { decodeSuccession, encodeSuccession, type RootSuccession } from '../wire/head.ts';
import { signBytes, verifyBytes } from './keys.ts';

const domain = 'isthmus.root.v1';

/** The old root says who is root after it; both are raw Ed25519 keys. */
export function signSuccession(
  succession: Omit<RootSuccession, 'signature'>,
  oldPrivateKey: Uint8Array,
): RootSuccession {
  return { ...succession, signature: signBytes(domain, encodeSuccession(succession), oldPrivateKey) };
}

/** Where a chain of successions ends, and its links as they came. */
export interface FollowedRoot {
  readonly rootKey: Uint8Array;
  readonly chain: readonly Uint8Array[];
}

/**
 * Follows signed successions from the root that is trusted to the one that is root now; whoever is not on the way is no root any more.
 *
 * Successions travel among the certificates (`entries`), of which those that are none are passed over. When one root names two, the
 * first in the list counts: who followed one keeps it in front, so that a stolen old root leads nobody away who has left it.
 */
export function followRoots(
  trusted: Uint8Array,
  organization: string,
  entries: readonly Uint8Array[],
): FollowedRoot {
  const successions = entries
    .map((bytes) => ({ bytes, succession: decodedOrUndefined(bytes) }))
    .filter(({ succession }) => succession?.organization === organization);
  const chain: Uint8Array[] = [];
  let rootKey = trusted;
  for (;;) {
    const next = successions.find(
      ({ bytes, succession }) =>
        succession !== undefined && !chain.includes(bytes) && isFrom(rootKey, succession),
    );
    if (next?.succession === undefined) return { rootKey, chain };
    rootKey = next.succession.toKey;
    chain.push(next.bytes);
  }
}

function isFrom(rootKey: Uint8Array, { signature, ...unsigned }: RootSuccession): boolean {
  if (Buffer.compare(unsigned.fromKey, rootKey) !== 0) return false;
  return verifyBytes(domain, encodeSuccession(unsigned), { publicKey: rootKey, signature });
}

function decodedOrUndefined(bytes: Uint8Array): RootSuccession | undefined {
  try {
    return decodeSuccession(bytes);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
