import assert from 'node:assert/strict';
import { test } from 'node:test';

import { headersOf } from '../../test/kit/gateway/policies.ts';
import type { Rejection } from '../policies/policy.ts';
import { apiKeyHash } from '../../proto/trust/keys.ts';
import { ApiKeys } from './api-keys.ts';
import type { Knock, PlanSecurity, SecuredPlan } from './security.ts';
import { inOrder, selectPlan } from './select-plan.ts';
import { Subscriptions } from './subscriptions.ts';

const rejection = (key: string, status = 401): Rejection => ({
  kind: 'reject',
  key,
  status,
  message: '',
  parent: undefined,
  parameters: {},
  headers: [],
});

/** A security whose credential is a header's value: `good` is let in, `unknown` cannot be looked up, anything else is refused; at once or later. */
function byHeader(header: string, isLate = false): PlanSecurity<string, string> {
  return {
    refusals: { missing: rejection(`${header}-missing`), invalid: rejection(`${header}-invalid`) },
    present: ({ headers }) => headers.get(header),
    admit(credential, plan) {
      const admission =
        credential === 'good'
          ? ({ kind: 'admitted', plan, subscription: undefined, proof: header, keyHash8: undefined } as const)
          : ({
              kind: 'refused',
              refusal:
                credential === 'unknown'
                  ? rejection(`${header}-unknown`, 503)
                  : rejection(`${header}-invalid`),
              keyHash8: undefined,
              isFinal: false,
            } as const);
      return isLate ? Promise.resolve(admission) : admission;
    },
    review: () => Infinity,
  };
}

const anybody: PlanSecurity = {
  present: () => true,
  admit: (_nothing, plan) => ({
    kind: 'admitted',
    plan,
    subscription: undefined,
    proof: undefined,
    keyHash8: undefined,
  }),
  review: () => Infinity,
};

const plan = (id: string, order: number, security: PlanSecurity): SecuredPlan => ({
  id,
  order,
  security,
  securityType: id,
  isOpen: security === anybody,
  challenge: undefined,
  rule: undefined,
});

/** All kinds that a definition may have, in the order in which nobody asks them. */
const plans = inOrder([
  plan('open', 1_000, anybody),
  plan('key', 500, byHeader('x-key')),
  plan('token', 0, byHeader('x-token', true)),
  plan('second token', 0, byHeader('x-second', true)),
  plan('certificate', -100, byHeader('x-certificate')),
]);

function knock(headers: Readonly<Record<string, string>>): Knock {
  const request = {
    headers: headersOf(headers),
    query: undefined,
    clientCertificate: undefined,
    scheme: 'http' as const,
    remoteAddress: '192.0.2.7',
  };
  return {
    request,
    api: 'a',
    subscriptions: new Subscriptions('dev', 10),
    nowMs: 0,
    holds: () => false,
    hasBrokenRule: () => false,
  };
}

async function ask(asked: readonly SecuredPlan[], headers: Readonly<Record<string, string>>) {
  const admission = await selectPlan(asked, knock(headers));
  return admission.kind === 'admitted' ? admission.plan.id : admission.refusal.key;
}

test('plans are asked in the order of their kinds, then of the definition; one that waits keeps its turn', async () => {
  assert.deepEqual(
    plans.map(({ id }) => id),
    ['certificate', 'token', 'second token', 'key', 'open'],
  );
  assert.equal(await ask(plans, { 'x-key': 'good', 'x-token': 'good' }), 'token');
  assert.equal(await ask(plans, { 'x-key': 'good', 'x-second': 'good', 'x-token': 'bad' }), 'second token');
  assert.equal(await ask(plans, { 'x-key': 'good', 'x-certificate': 'bad' }), 'key');
});

test('who presents anything is no stranger: the open plan is closed to him, now and after a wait', async () => {
  assert.equal(await ask(plans, {}), 'open');
  assert.equal(await ask(plans, { 'x-key': '' }), 'x-key-invalid');
  assert.equal(await ask(plans, { 'x-token': 'bad' }), 'x-token-invalid');
  assert.equal(await ask(plans, { authorization: 'Bearer' }), 'x-certificate-missing');
  assert.equal(await ask(plans, { authorization: 'Basic eDp5' }), 'open');
  assert.equal(await ask([plan('open', 1_000, anybody)], { authorization: 'Bearer x' }), 'open');
});

test('of several refusals one for want of an answer counts first, wherever it stands: what is unknown is not no', async () => {
  const closed = plans.filter(({ isOpen }) => !isOpen);
  for (const [headers, expected] of [
    [{ 'x-certificate': 'bad', 'x-key': 'unknown' }, 'x-key-unknown'],
    [{ 'x-certificate': 'unknown', 'x-key': 'bad' }, 'x-certificate-unknown'],
    [{ 'x-token': 'bad', 'x-second': 'unknown', 'x-key': 'bad' }, 'x-second-unknown'],
    [{ 'x-certificate': 'unknown', 'x-key': 'unknown' }, 'x-certificate-unknown'],
  ] as const)
    assert.equal(await ask(closed, headers), expected);
});

test('of several refusals the first counts; without any the first plan says what is missing', async () => {
  const closed = plans.filter(({ isOpen }) => !isOpen);
  assert.equal(await ask(closed, { 'x-key': 'bad', 'x-second': 'bad' }), 'x-second-invalid');
  assert.equal(await ask(closed, {}), 'x-certificate-missing');
  assert.equal(await ask([], {}), 'GATEWAY_PLAN_UNRESOLVABLE');
});

test('a plan that does not wait is answered in the same turn, behind plans of which nothing is presented', () => {
  const admission = selectPlan(plans, knock({ 'x-key': 'good' }));
  assert.ok(!(admission instanceof Promise));
  assert.equal(admission.kind, 'admitted');
});

test('a key that was unknown is found once it is there, and a known one is not once it has gone', () => {
  const keys = new ApiKeys('dev', 2);
  assert.equal(keys.find('later'), undefined);
  assert.equal(keys.find('later'), undefined);
  const payload = {
    id: 'k',
    hash: apiKeyHash('dev', 'later'),
    api: 'a',
    subscriptions: [],
    isRevoked: false,
  };
  keys.set(payload);
  assert.equal(keys.find('later')?.key, payload);
  keys.delete('k');
  assert.equal(keys.find('later'), undefined);
});

test('a key with several records is found as long as one of them is there, whichever goes first', () => {
  const hash = apiKeyHash('dev', 'shared');
  const record = (id: string) => ({ id, hash, api: id, subscriptions: [id], isRevoked: false });
  for (const order of ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']) {
    const keys = new ApiKeys('dev', 2);
    for (const id of 'abc') keys.set(record(id));
    keys.set(record('b'));
    const found = (): string[] => {
      const ids: string[] = [];
      for (let each = keys.find('shared'); each !== undefined; each = each.next) ids.push(each.key.id);
      return ids.toSorted();
    };
    assert.deepEqual(found(), ['a', 'b', 'c']);
    const left = new Set('abc');
    for (const id of order) {
      keys.delete(id);
      left.delete(id);
      assert.deepEqual(found(), [...left], `without ${id} of ${order}`);
    }
  }
});
