import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isLongRun } from '../../../test/kit/long-run.ts';

import { apiKeyHash } from '../../../proto/trust/keys.ts';
import {
  encodeApi,
  encodeApiKey,
  encodeDictionary,
  encodeSharedPolicyGroup,
  encodeSubscription,
} from '../../../proto/wire/payloads.ts';
import type { RecordKind } from '../../../proto/wire/published.ts';
import { openDeployments } from '../../../test/kit/gateway/deployments.ts';
import { apiDefinition, flow } from '../../../test/kit/gateway/gateway.ts';
import type { ConfigChange, SetRecord } from './change.ts';
import { percentile } from '../../../test/kit/percentile.ts';

const few = 10;
/** What grows with their number shows among these already; the long run has as many as are promised. */
const many = isLongRun ? 10_000 : 2_000;
const changes = 400;
const ratioMax = 1.5;
const changeMsMax = 5;
/** The records of thousands lie in memory that no cache holds: some microseconds for those few that a change touches, however many there are. */
const coldMs = 0.05;

const set = (kind: RecordKind, id: string, rest: Pick<SetRecord, 'seq' | 'payload'>): SetRecord => ({
  kind,
  id,
  revision: String(rest.seq),
  ...rest,
});

/** An API whose every revision differs, with the subscription and the key that open it. */
function recordsOf(n: number, seq: number): readonly [SetRecord, SetRecord, SetRecord] {
  const id = `api-${n}`;
  const definition = apiDefinition(id, `http://127.0.0.1:1/${id}`, {
    flows: [
      flow('/', { request: [['transform-headers', { addHeaders: [{ name: 'X-Seq', value: `${seq}` }] }]] }),
      ...(n < few
        ? [flow('/', { request: [['shared-policy-group-policy', { sharedPolicyGroupId: `g-${n}` }]] })]
        : []),
    ],
    plans: { keys: { security: { type: 'API_KEY' } } },
    // Read when the API is deployed, so that it is built again when the dictionary changes.
    ...(n < few && {
      resources: [
        {
          name: 'server',
          type: 'oauth2',
          configuration: {
            authorizationServerUrl: 'http://127.0.0.1:1',
            clientId: `{#dictionaries['d-${n}']['word']}`,
          },
        },
      ],
    }),
  });
  const hash = apiKeyHash('E', `key-${n}-${seq}`);
  const subscription = { id: `s-${n}`, api: id, plan: 'keys', application: `of-${seq}`, status: 'ACCEPTED' };
  const key = { id: `k-${n}`, hash, api: id, subscriptions: [`s-${n}`], isRevoked: false };
  const published = { id, name: id, revision: '1', definition: JSON.stringify(definition) };
  return [
    set('api', id, { seq, payload: encodeApi(published) }),
    set('subscription', subscription.id, { seq, payload: encodeSubscription(subscription) }),
    set('api-key', key.id, { seq, payload: encodeApiKey(key) }),
  ];
}

/** A shared policy group, which one API uses. */
function groupOf(n: number, seq: number): SetRecord {
  const id = `g-${n % few}`;
  const steps = [
    { policy: 'transform-headers', configuration: { addHeaders: [{ name: 'X-Group', value: `${seq}` }] } },
  ];
  const definition = JSON.stringify({ phase: 'REQUEST', steps });
  return set('shared-policy-group', id, {
    seq,
    payload: encodeSharedPolicyGroup({ id, name: id, definition }),
  });
}

/** A dictionary, which one API reads. */
const dictionaryOf = (n: number, seq: number): SetRecord =>
  set('dictionary', `d-${n}`, {
    seq,
    payload: encodeDictionary({ id: `d-${n}`, name: `d-${n}`, entries: [{ key: 'word', value: `${seq}` }] }),
  });

/** A gateway that serves this many APIs, each with a subscription and a key; and what a change of it costs. */
function deploy(t: TestContext, count: number) {
  const deployments = openDeployments(t, { keysSeenMax: 10 });
  const change = (seq: number, records: readonly SetRecord[]): ConfigChange => ({
    organization: 'O',
    environment: 'E',
    seq,
    isFull: seq === 1,
    set: records,
    removed: [],
  });
  const groups = Array.from({ length: few }, (_, n) => groupOf(n, 1));
  const dictionaries = Array.from({ length: count }, (_, n) => dictionaryOf(n, 1));
  const all = [
    ...groups,
    ...dictionaries,
    ...Array.from({ length: count }, (_, n) => recordsOf(n, 1)).flat(),
  ];
  assert.deepEqual(deployments.apply(change(1, all)), []);
  /** Milliseconds of one change, made before the clock runs. */
  const cost = (seq: number, pick: Picked): number => {
    const wish = change(seq, pick(recordsOf((seq * 7) % count, seq), seq));
    const startedMs = performance.now();
    const nacks = deployments.apply(wish);
    const ms = performance.now() - startedMs;
    assert.deepEqual(nacks, []);
    return ms;
  };
  return { deployments, cost };
}

type Picked = (records: ReturnType<typeof recordsOf>, seq: number) => readonly SetRecord[];

const median = (list: readonly number[]): number => percentile(list, 0.5);

test(`one change costs the same with ${few} and with ${many} APIs deployed, and at most ${changeMsMax} ms`, (t) => {
  const small = deploy(t, few);
  const large = deploy(t, many);
  for (const [what, pick] of [
    ['an API', ([api]) => [api]],
    ['a subscription and its key', ([, subscription, key]) => [subscription, key]],
    ['a dictionary that one API reads', (_records, seq) => [dictionaryOf(seq % few, seq)]],
    ['a shared policy group that one API uses', (_records, seq) => [groupOf(seq, seq)]],
  ] as const satisfies readonly (readonly [string, Picked])[]) {
    const smallMs: number[] = [];
    const largeMs: number[] = [];
    for (let seq = 2; seq < changes; seq += 1) {
      smallMs.push(small.cost(seq, pick));
      largeMs.push(large.cost(seq, pick));
    }
    const [one, other] = [median(smallMs), median(largeMs)];
    t.diagnostic(`${what}: ${one.toFixed(3)} ms among ${few}, ${other.toFixed(3)} ms among ${many}`);
    assert.ok(other <= changeMsMax, `${what}: ${other} ms`);
    assert.ok(other <= one * ratioMax + coldMs, `${what}: ${other / one} times`);
  }
});
