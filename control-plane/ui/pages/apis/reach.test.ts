import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reachOf } from './reach.ts';

type Deployed = NonNullable<Parameters<typeof reachOf>[0]>;
type Gateway = Deployed['gateways'][number];

const gateway = (state: Gateway['state'], deployment: Gateway['deployment']): Gateway => ({
  id: `${state} ${deployment}`,
  fleet: 'default',
  hostname: 'host',
  state,
  deployment,
});
const told = (...gateways: readonly Gateway[]): string => reachOf({ gateways } as unknown as Deployed)[1];

test('a gateway that was enrolled and never ran holds no API on its way', () => {
  const applied = gateway('connected', 'applied');
  assert.equal(told(applied, gateway('never', 'pending')), 'Deployed: 1 of 1 gateway');
  assert.equal(told(applied, gateway('revoked', 'pending')), 'Deployed: 1 of 1 gateway');
  assert.equal(told(gateway('never', 'pending')), 'Deployed, but no gateway is there to serve it');
});

test('one that is silent is still waited for, and one that refuses comes first', () => {
  const applied = gateway('connected', 'applied');
  assert.equal(told(applied, gateway('silent', 'pending')), 'On its way: 1 of 2 gateways');
  assert.equal(told(applied, gateway('connected', 'refused')), 'Refused by 1 of 2 gateways');
  assert.equal(told(applied, gateway('connected', 'notDeployed')), 'Deployed: 1 of 1 gateway');
});
