import type { CertificateRef } from '../../proto/wire/payloads.ts';

/** What holds certificates: a subscription. */
interface Holder {
  readonly id: string;
  readonly api: string;
  readonly plan: string;
  readonly certificates?: readonly CertificateRef[];
}

/** Which certificate asks for which plan of which API. */
export interface CertificateWish {
  readonly api: string;
  readonly plan: string;
  /** SHA-256, 64 lower-case hex digits. */
  readonly fingerprint: string;
}

/** The subscriptions of one environment by the certificates of their applications. */
export class Certificates<Subscription extends Holder> {
  readonly #byFingerprint = new Map<string, Map<Subscription, CertificateRef>>();

  add(subscription: Subscription): void {
    for (const certificate of subscription.certificates ?? []) {
      const fingerprint = Buffer.from(certificate.sha256).toString('hex');
      let holders = this.#byFingerprint.get(fingerprint);
      if (holders === undefined) this.#byFingerprint.set(fingerprint, (holders = new Map()));
      holders.set(subscription, certificate);
    }
  }

  delete(subscription: Subscription): void {
    for (const { sha256 } of subscription.certificates ?? []) {
      const fingerprint = Buffer.from(sha256).toString('hex');
      const holders = this.#byFingerprint.get(fingerprint);
      holders?.delete(subscription);
      if (holders?.size === 0) this.#byFingerprint.delete(fingerprint);
    }
  }

  /** The first to the plan that holds, in the order in which they came; an application has few subscriptions. */
  find(
    { api, plan, fingerprint }: CertificateWish,
    nowMs: number,
    holds: (subscription: Subscription) => boolean,
  ): Subscription | undefined {
    for (const [subscription, certificate] of this.#byFingerprint.get(fingerprint) ?? [])
      if (
        subscription.api === api &&
        subscription.plan === plan &&
        isInTime(certificate, nowMs) &&
        holds(subscription)
      )
        return subscription;
    return undefined;
  }

  /** Whether any that holds has it. */
  has(fingerprint: string, nowMs: number, holds: (subscription: Subscription) => boolean): boolean {
    for (const [subscription, certificate] of this.#byFingerprint.get(fingerprint) ?? [])
      if (isInTime(certificate, nowMs) && holds(subscription)) return true;
    return false;
  }

  /** How a subscription holds a certificate; undefined when it does not. */
  of(subscription: Subscription, fingerprint: string): CertificateRef | undefined {
    return this.#byFingerprint.get(fingerprint)?.get(subscription);
  }
}

function isInTime(
  { startingAtMs = -Infinity, endingAtMs = Infinity }: CertificateRef,
  nowMs: number,
): boolean {
  return startingAtMs <= nowMs && nowMs < endingAtMs;
}
