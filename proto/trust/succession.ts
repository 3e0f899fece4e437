import { signBytes, verifyBytes } from './keys.ts';
import type { EnrolledIdentity } from './identity.ts';

const domain = 'isthmus-succession-v1';

/** What a gateway that enrols again says of who it was: that one's id, and its signature over the new public key. */
export interface Succession {
  readonly gateway: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Lets the gateway with the new key succeed the one of the old identity: what that one recorded and did not ship is its own then. */
export function succeed(
  { gateway, signing }: Pick<EnrolledIdentity, 'gateway' | 'signing'>,
  signingKey: Uint8Array,
): Succession {
  return { gateway, signature: signBytes(domain, signingKey, signing.privateKey) };
}

/** Whether the key of the gateway before vouches for the new one. */
export function isSuccession(
  { signature }: Pick<Succession, 'signature'>,
  keys: { readonly previous: Uint8Array; readonly signingKey: Uint8Array },
): boolean {
  return verifyBytes(domain, keys.signingKey, { publicKey: keys.previous, signature });
}
