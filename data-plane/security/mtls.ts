import { mtls as schema } from '../../proto/policies/mtls.ts';
import { createRefuse } from '../policies/refuse.ts';
import { type PresentedCertificate, isInDate, unreadable } from './presented-certificate.ts';
import { type Admission, isChosen, passed, type PlanSecurity, type SecurityKind } from './security.ts';

const refuse = createRefuse(schema.errors);
const unsecured = refuse('SSL_SESSION_REQUIRED');
const missing = refuse('CLIENT_CERTIFICATE_MISSING');
const invalid = refuse('CLIENT_CERTIFICATE_INVALID');

/** A client's certificate: its hash finds the subscription. */
export const mtls: SecurityKind<'mtls'> = {
  order: -100,
  recordedAs: 'MTLS',
  isOpen: false,
  create(
    _config,
    { certificates },
  ): PlanSecurity<PresentedCertificate | typeof unreadable, PresentedCertificate> {
    return {
      refusals: {
        missing: (request) =>
          request.scheme === 'https' || certificates.isTerminated(request) ? missing : unsecured,
        invalid,
      },
      present: (request) => certificates.presented(request),
      admit(presented, plan, knock) {
        if (!isChosen(plan, knock, () => [])) return passed;
        if (presented === unreadable) return refused(undefined);
        const { fingerprint } = presented;
        const { api, subscriptions, nowMs } = knock;
        const keyHash8 = fingerprint.slice(0, 8);
        if (!isInDate(presented, nowMs)) return refused(keyHash8);
        const subscription = subscriptions.ofCertificate({ api, plan: plan.id, fingerprint }, nowMs);
        return subscription === undefined
          ? refused(keyHash8)
          : { kind: 'admitted', plan, subscription, proof: presented, keyHash8 };
      },
      review({ fingerprint, validToMs }, { subscription, subscriptions, nowMs }) {
        const held = subscription && subscriptions.certificateOf(subscription.id, fingerprint);
        const untilMs = Math.min(validToMs, held?.endingAtMs ?? Infinity);
        return held !== undefined && nowMs < untilMs
          ? untilMs
          : { reason: 'the certificate has ended, or is not its any more', errorKey: invalid.key };
      },
    };
  },
};

function refused(keyHash8: string | undefined): Admission<never, never> {
  return { kind: 'refused', refusal: invalid, keyHash8, isFinal: false };
}
