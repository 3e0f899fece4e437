import { hostname } from 'node:os';
import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Outbound, OutboundResponse } from '../../proto/process/outbound/outbound.ts';
import { isPlainBeyondLoopback } from '../../proto/process/plain-http.ts';
import { describeStranger } from '../../proto/process/stranger.ts';
import {
  loadIdentity,
  saveIdentity,
  type EnrolledIdentity,
  type Sealer,
} from '../../proto/trust/identity.ts';
import { succeed } from '../../proto/trust/succession.ts';
import { readEnrolmentToken } from '../../proto/trust/tokens.ts';
import { beginEnrolment, endEnrolment } from './begun-enrolment.ts';
import { withSlash } from './bridge-client.ts';

/** What an enrolment needs. */
export interface EnrolOptions {
  /** The token as the operator pasted it. */
  readonly token: string;
  /** Folder of identity.json. */
  readonly dir: string;
  readonly keyring: Sealer;
  readonly outbound: Outbound;
  readonly clock: Clock;
  /** This program's version. */
  readonly version: string;
  /** Dial this instead of the bridge that the token names, e.g. through another address. */
  readonly bridgeUrl?: string;
  /** Who this machine was until now: what that one recorded and has not shipped is then the new one's. */
  readonly previous?: EnrolledIdentity | undefined;
  /** Whether the token may leave this machine over plain HTTP. Default: no. */
  readonly allowPlainHttp?: boolean;
}

const answerSchema = z.object({
  gateway: z.string().min(1).max(256),
  organization: z.string(),
  fleet: z.string().min(1).max(256),
  environments: z.array(z.string().min(1)).max(1_000),
  /** Ours, given back: a kept answer to somebody else would make us him. */
  signingKey: z.string(),
});
const refusalSchema = z.object({ code: z.string(), reason: z.string(), hint: z.string().optional() });
const timeoutMs = 20_000;
const answerBytesMax = 256 * 1024;

/**
 * Makes this machine a gateway: key pairs made here, their public halves sent with the token, the identity saved.
 *
 * Errors: trust.* for a token that is not whole, enrolment.plain_http before it is sent, enrolment.refused with the bridge's words, outbound.* when it cannot
 *         be reached. No identity is saved then; the same call with the same token goes on where it ended, also when the bridge had taken it and the answer was lost.
 */
export async function enrol(options: EnrolOptions): Promise<EnrolledIdentity> {
  const { token, dir, keyring, outbound, clock } = options;
  const { bridge: namedBridge, organization, rootKey } = readEnrolmentToken(token);
  const bridge = options.bridgeUrl ?? namedBridge;
  if (options.allowPlainHttp !== true && isPlainBeyondLoopback(bridge))
    throw new Fault('enrolment.plain_http', { internal: bridge });
  const { signing, sealing } = beginEnrolment(dir, token, keyring);
  const publicKey = Buffer.from(signing.publicKey).toString('base64url');
  const wish = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      token: token.trim(),
      signingKey: publicKey,
      sealingKey: Buffer.from(sealing.publicKey).toString('base64url'),
      hostname: hostname().slice(0, 256),
      version: options.version,
      previous: options.previous && previousOf(options.previous, signing.publicKey),
    }),
    timeoutMs,
    bodyBytesMax: answerBytesMax,
  };
  const answer = await outbound
    .request(new URL('bridge/v1/enrol', withSlash(bridge)).href, wish)
    .catch((error: unknown) => {
      throw unreachedBy(error, bridge);
    });
  const body = await answer.json().catch(() => undefined);
  if (answer.status >= 400) {
    // The bridge knows these keys not: with another token others are made.
    if (refusalSchema.safeParse(body).success) endEnrolment(dir);
    throw refusedBy(body, answer);
  }
  const said = answerSchema.safeParse(body);
  if (answer.status !== 201 || !said.success || said.data.signingKey !== publicKey)
    throw new Fault('enrolment.refused', {
      detail: `Somebody between this machine and the bridge answers: ${describeStranger(answer)}.`,
      hint: 'Open the way to the bridge, or set outbound.proxy.url, and enrol with the same token once more.',
    });
  // The root key in the token speaks for one organization; a bridge that names another is not the one it was made for.
  if (said.data.organization !== organization)
    throw new Fault('enrolment.refused', {
      detail: 'The answer is not one of the bridge that the token names.',
    });
  const { gateway, fleet, environments } = said.data;
  const identity: EnrolledIdentity = {
    gateway,
    organization,
    fleet,
    environments,
    bridge,
    rootKey,
    signing,
    sealing,
    enrolledAtMs: clock.now(),
  };
  saveIdentity(dir, identity, keyring);
  endEnrolment(dir);
  return identity;
}

/** The identity of this machine: the saved one, else a new one for the token; undefined without either. */
export async function ensureIdentity(
  options: Omit<EnrolOptions, 'token'> & { readonly token: string | undefined },
): Promise<EnrolledIdentity | undefined> {
  const saved = loadIdentity(options.dir, options.keyring);
  // A token that stays in the configuration must not enrol a second time at the next start.
  if (saved !== undefined || options.token === undefined) return saved;
  return enrol({ ...options, token: options.token });
}

function previousOf(identity: EnrolledIdentity, signingKey: Uint8Array): object {
  const { gateway, signature } = succeed(identity, signingKey);
  return { gateway, signature: Buffer.from(signature).toString('base64url') };
}

/** Names the bridge that was dialled, and what to look at where the fault does not say it better. */
function unreachedBy(error: unknown, bridge: string): unknown {
  if (!(error instanceof Fault)) return error;
  const { code, detail, internal, cause } = error;
  return new Fault(code, {
    detail: `${bridge} cannot be reached: ${detail}`,
    internal,
    hint:
      error.hint ??
      'Look at the firewall, outbound.proxy.url and whether the bridge is up; the token is still good.',
    cause,
  });
}

function refusedBy(body: unknown, answer: Pick<OutboundResponse, 'status' | 'headers'>): Fault {
  const said = refusalSchema.safeParse(body).data;
  if (said === undefined)
    return new Fault('enrolment.refused', {
      detail: `Somebody between this machine and the bridge answers: ${describeStranger(answer)}.`,
    });
  const { code, reason, hint } = said;
  return new Fault('enrolment.refused', {
    detail: `The bridge says: ${reason} (${code})`,
    ...(hint !== undefined && { hint }),
  });
}
