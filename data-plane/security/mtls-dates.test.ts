import assert from 'node:assert/strict';
import { test } from 'node:test';

import { headersOf } from '../../test/kit/gateway/policies.ts';
import { quietSecurityHost } from '../../test/kit/gateway/security.ts';
import type { SubscriptionPayload } from '../../proto/wire/payloads.ts';
import { mtls } from './mtls.ts';
import { reviewEntry } from './review.ts';
import { Subscriptions } from './subscriptions.ts';

const sha256 = Buffer.alloc(32, 7);
const payload: SubscriptionPayload = {
  id: 's',
  api: 'a',
  plan: 'p',
  application: 'app',
  status: 'ACCEPTED',
  startingAtMs: 100,
  endingAtMs: 900,
  certificates: [{ sha256, startingAtMs: 200, endingAtMs: 800 }],
};

/** Whether a certificate lets in at a time, and until when what it let in may flow on; -1 when not. */
function stage(validFromMs: number, validToMs: number) {
  const subscriptions = new Subscriptions('env', 10);
  subscriptions.set(payload);
  const security = mtls.create({}, { ...quietSecurityHost(), resources: new Map() });
  const clientCertificate = {
    pem: '',
    subject: 'CN=a',
    fingerprintSha256: sha256.toString('hex'),
    validFromMs,
    validToMs,
    isVerified: false,
  };
  const scheme = 'https' as const;
  const request = {
    headers: headersOf({}),
    query: undefined,
    clientCertificate,
    remoteAddress: '10.0.0.1',
    scheme,
  };
  const plan = { id: 'p', rule: undefined };
  const secured = {
    ...plan,
    securityType: 'MTLS',
    order: -100,
    isOpen: false,
    challenge: undefined,
    security,
  };
  return {
    subscriptions,
    async isLetIn(nowMs: number): Promise<boolean> {
      const knock = {
        request,
        api: 'a',
        subscriptions,
        nowMs,
        holds: () => true,
        hasBrokenRule: () => false,
      };
      const admission = await security.admit(security.present(request), plan, knock);
      return admission.kind === 'admitted';
    },
    untilMs(nowMs: number): number {
      const proof = { fingerprint: sha256.toString('hex'), validFromMs, validToMs };
      const until = reviewEntry({ api: 'a', subscription: { id: 's' }, proof }, secured, {
        subscriptions,
        nowMs,
      });
      return typeof until === 'number' ? until : -1;
    },
  };
}

test('a certificate counts within its own dates, those that the application gives it, and those of the subscription', async () => {
  const wide = stage(0, 1_000);
  for (const [nowMs, isIn] of [
    [99, false],
    [199, false],
    [200, true],
    [799, true],
    [800, false],
  ] as const) {
    assert.equal(await wide.isLetIn(nowMs), isIn, String(nowMs));
    assert.equal(wide.subscriptions.trustsCertificate(sha256.toString('hex'), nowMs), isIn, String(nowMs));
  }
  assert.deepEqual([wide.untilMs(500), wide.untilMs(800)], [800, -1]);
  const narrow = stage(300, 700);
  for (const [nowMs, isIn] of [
    [299, false],
    [300, true],
    [700, true],
    [701, false],
  ] as const)
    assert.equal(await narrow.isLetIn(nowMs), isIn, String(nowMs));
  assert.deepEqual([narrow.untilMs(500), narrow.untilMs(700)], [700, -1]);
});

test('what flows on ends with the subscription, or with the certificate that leaves its application', async () => {
  for (const change of [{ certificates: [] }, { status: 'PAUSED' }, { plan: 'other' }]) {
    const { subscriptions, untilMs, isLetIn } = stage(0, 1_000);
    assert.equal(untilMs(500), 800);
    subscriptions.set({ ...payload, ...change });
    assert.equal(untilMs(500), -1, JSON.stringify(change));
    assert.equal(await isLetIn(500), false);
  }
  const { subscriptions, untilMs } = stage(0, 1_000);
  subscriptions.delete('s');
  assert.equal(untilMs(500), -1);
  assert.equal(subscriptions.trustsCertificate(sha256.toString('hex'), 500), false);
});
