import { Fault } from '../proto/faults/fault.ts';
import { audienceOf, peekAssertion, verifyAssertion } from '../proto/trust/assertions.ts';
import { createReplayGuard } from '../proto/trust/replay.ts';
import type { GatewayIdentity } from '../proto/wire/published.ts';
import type { EventKind } from './events.ts';
import type { Services } from './services.ts';

/** A gateway that has proven who it is. */
export interface Visitor {
  readonly identity: GatewayIdentity;
  /** Which of its processes speaks. */
  readonly instance: string;
}

/** Lets gateways in. */
export interface Admission {
  /**
   * Verifies the assertion of a request.
   *
   * Errors: request.unauthorized without one, trust.* for a bad one, bridge.unknown_gateway, bridge.revoked (403), and
   *         storage.unavailable (503) when the database is away: unknown is not no.
   */
  admit(headers: {
    readonly authorization?: string | undefined;
    readonly host?: string | undefined;
  }): Promise<Visitor>;
}

/** Makes the door; assertions are taken once per bridge process. */
export function createAdmission({ config, repository, clock, events, metrics }: Services): Admission {
  const replay = createReplayGuard();
  const publicAudiences = config.publicUrls.map(audienceOf);
  const refusals = metrics.counter('isthmus_bridge_refusals_total', 'Assertions refused.', ['code']);

  const audiences = (host: string | undefined): readonly string[] =>
    publicAudiences.length > 0 || host === undefined
      ? publicAudiences
      : [`https://${host}`, `http://${host}`];

  return {
    async admit({ authorization, host }) {
      try {
        const token = /^Bearer ([A-Za-z0-9._-]{1,2048})$/i.exec(authorization ?? '')?.[1];
        if (token === undefined)
          throw new Fault('request.unauthorized', {
            detail: 'Authorization: Bearer <assertion> is required.',
          });
        const { gateway } = peekAssertion(token);
        const identity = await repository.gateway(gateway);
        if (identity === undefined) throw new Fault('bridge.unknown_gateway');
        const against = { key: identity.signingKey, audience: audiences(host), nowMs: clock.now(), replay };
        const { instance } = await verifyAssertion(token, against).catch((error: unknown) => {
          const kind = eventOf(error);
          if (kind !== undefined) events.report({ gateway, kind, detail: (error as Fault).detail });
          throw error;
        });
        // After the signature, so that a stranger does not learn who was revoked.
        if (identity.isRevoked) throw new Fault('bridge.revoked');
        return { identity, instance };
      } catch (error) {
        if (error instanceof Fault) refusals.inc({ code: error.code });
        throw error;
      }
    },
  };
}

function eventOf(error: unknown): EventKind | undefined {
  if (!(error instanceof Fault)) return undefined;
  if (error.code === 'trust.replayed') return 'assertion.replayed';
  if (error.code === 'trust.bad_signature') return 'assertion.bad_signature';
  return error.code === 'trust.wrong_audience' ? 'assertion.wrong_audience' : undefined;
}
