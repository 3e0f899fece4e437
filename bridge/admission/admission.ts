import { Fault } from '../../proto/faults/fault.ts';
import { readAuthorization } from '../../proto/trust/authorization.ts';
import { peekAssertion, verifyAssertion } from '../../proto/trust/assertions.ts';
import type { SeatRole } from '../../proto/trust/seats.ts';
import type { GatewayIdentity } from '../../proto/wire/published.ts';
import type { GatewayEventKind } from '../../proto/model/gateway-events.ts';
import { badNonce, type Nonces } from './nonces.ts';
import type { Services } from '../services.ts';

/** A process that has proven whose it is. */
export interface Visitor {
  readonly identity: GatewayIdentity;
  /** Which of its processes speaks, and as what. */
  readonly instance: string;
  readonly role: SeatRole;
  /** When the nonce that it signed was made. */
  readonly nonceMadeAtMs: number;
}

/** Lets gateways in. */
export interface Admission {
  /**
   * Verifies the assertion of a request and uses its nonce up.
   *
   * Cheap checks come first: whoever has no nonce of ours costs no query, and nothing is written before a signature
   * verified. Errors: request.unauthorized without one, trust.* for a bad one, bridge.unknown_gateway, bridge.revoked
   * (403), and storage.unavailable (503) when the database is away: unknown is not no. `onProven` hears whose signature it
   * was before anything is written, and may refuse by throwing.
   */
  admit(authorization: string | undefined, onProven: (gateway: string) => void): Promise<Visitor>;
}

/** Makes the door; audiences are the bridge's own names, never what a request says. */
export function createAdmission(
  { repository, events, metrics }: Services,
  { nonces, audiences }: { readonly nonces: Nonces; readonly audiences: () => readonly string[] },
): Admission {
  const refusals = metrics.counter('isthmus_bridge_refusals_total', 'Assertions refused.', ['code']);

  const judge = async (
    authorization: string | undefined,
    onProven: (gateway: string) => void,
  ): Promise<Visitor> => {
    const said = readAuthorization(authorization);
    const token = said?.credentials ?? '';
    if (said?.scheme !== 'bearer' || !/^[A-Za-z0-9._-]{1,2048}$/.test(token))
      throw new Fault('request.unauthorized', { detail: 'Authorization: Bearer <assertion> is required.' });
    const { gateway, nonce } = peekAssertion(token);
    const nonceMadeAtMs = await nonces.read(nonce);
    if (nonceMadeAtMs === undefined) throw badNonce();
    const identity = await repository.gateway(gateway);
    if (identity === undefined) throw new Fault('bridge.unknown_gateway');
    const report = (error: unknown): never => {
      const kind = eventOf(error);
      if (kind !== undefined) events.report({ gateway, kind, detail: (error as Fault).detail });
      throw error;
    };
    const { instance, role } = await verifyAssertion(token, {
      key: identity.signingKey,
      audiences: audiences(),
    }).catch(report);
    onProven(gateway);
    // After the signature, so that a stranger does not learn who was revoked.
    if (identity.isRevoked) throw new Fault('bridge.revoked');
    if (!(await repository.takeNonce(nonce, nonceMadeAtMs))) report(new Fault('trust.replayed'));
    return { identity, instance, role, nonceMadeAtMs };
  };

  return {
    async admit(authorization, onProven) {
      try {
        return await judge(authorization, onProven);
      } catch (error) {
        if (error instanceof Fault) refusals.inc({ code: error.code });
        throw error;
      }
    },
  };
}

function eventOf(error: unknown): GatewayEventKind | undefined {
  if (!(error instanceof Fault)) return undefined;
  if (error.code === 'trust.replayed') return 'assertion.replayed';
  if (error.code === 'trust.bad_signature') return 'assertion.bad_signature';
  return error.code === 'trust.wrong_audience' ? 'assertion.wrong_audience' : undefined;
}
