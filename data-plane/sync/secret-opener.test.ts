import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSealingKeyPair, type KeyPair } from '../../proto/trust/keys.ts';
import {
  createDataKey,
  type DataKey,
  openText,
  type SealedPlace,
  sealText,
} from '../../proto/trust/sealed-text.ts';
import { secretLevelsMax } from '../../proto/model/secrets/walk.ts';
import { environmentKeyContext, sealTo } from '../../proto/trust/sealing.ts';
import { decodeApi, encodeApi, encodeEnvironmentKey } from '../../proto/wire/payloads.ts';
import type { SetRecord } from '../gateway/deploy/change.ts';
import { SecretOpener } from './secret-opener.ts';

const at = { organization: 'o', environment: 'dev' };
const key = createDataKey();
const own = createSealingKeyPair();
const field = 'resource oauth2: clientSecret';
const place: SealedPlace = { ...at, kind: 'api', id: 'a', field };
const sealed = sealText(key, 'hunter2', place);

const keyRecord = (
  wish: {
    readonly gateway?: string;
    readonly to?: KeyPair;
    readonly keys?: readonly DataKey[];
    readonly environment?: string;
  } = {},
): SetRecord => {
  const { gateway = 'g', to = own, keys = [key], environment = at.environment } = wish;
  const payload = encodeEnvironmentKey({
    gateway,
    keys: keys.map(({ id, key: bytes }) => ({
      id,
      sealed: sealTo(to.publicKey, bytes, environmentKeyContext({ ...at, environment, gateway, key: id })),
    })),
  });
  return { kind: 'environment-key', id: gateway, seq: 1, revision: '1', payload };
};

const api = (clientSecret: string, more: object = {}, id = 'a'): SetRecord => ({
  kind: 'api',
  id,
  seq: 2,
  revision: '1',
  payload: encodeApi({
    id,
    name: 'A',
    revision: '1',
    definition: JSON.stringify({
      resources: [{ name: 'r', type: 'oauth2', configuration: { clientSecret } }],
      ...more,
    }),
  }),
});

const open = (opener: SecretOpener, ...set: readonly SetRecord[]) =>
  opener.open({ set, removed: [], nacks: [] });
const createOpener = (gateway = 'g', sealing = own) => new SecretOpener(at, { gateway, sealing });
const secretOf = ({ payload }: SetRecord): unknown =>
  (JSON.parse(decodeApi(payload).definition) as { resources: { configuration: { clientSecret: string } }[] })
    .resources[0]?.configuration.clientSecret;

test('a secret is opened where it stands, and said to whoever speaks of the record', () => {
  const { set, nacks } = open(createOpener(), keyRecord(), api(sealed));
  assert.deepEqual(nacks, []);
  assert.deepEqual(
    set.map((record) => [record.kind, secretOf(record), record.secrets, record.refusal]),
    [['api', 'hunter2', ['hunter2'], undefined]],
  );
});

test('what holds nothing sealed is passed on as it came', () => {
  const plain = api('plain');
  assert.equal(open(createOpener(), keyRecord(), plain).set[0], plain);
});

test('a record whose key is not here is refused alone by name, and taken when the key comes', () => {
  const opener = createOpener();
  const first = open(opener, api(sealed), api('plain', {}, 'b'));
  assert.deepEqual(
    first.set.map(({ id, refusal }) => [id, refusal?.code]),
    [
      ['a', 'secrets.key_missing'],
      ['b', undefined],
    ],
  );
  assert.match(first.set[0]?.refusal?.reason ?? '', /^resources\[0\]\.configuration\.clientSecret: /);
  const then = open(opener, keyRecord());
  assert.deepEqual(
    then.set.map((record) => [record.id, secretOf(record), record.refusal]),
    [['a', 'hunter2', undefined]],
  );
  assert.deepEqual(open(opener, keyRecord()).set, [], 'once');
});

test('what waits for a key and is replaced or removed meanwhile does not come back', () => {
  const opener = createOpener();
  open(opener, api(sealed), api(sealed, {}, 'gone'));
  open(opener, api('replaced'));
  opener.open({ set: [], removed: [{ kind: 'api', id: 'gone' }], nacks: [] });
  assert.deepEqual(open(opener, keyRecord()).set, []);
});

test('a key of another gateway, or sealed to another one or for another environment, opens nothing', () => {
  const other = createSealingKeyPair();
  for (const [record, code] of [
    [keyRecord({ gateway: 'h' }), undefined],
    [keyRecord({ to: other }), 'trust.bad_signature'],
    [keyRecord({ environment: 'prod' }), 'trust.bad_signature'],
    [{ ...keyRecord(), payload: Buffer.from('x') }, 'wire.malformed'],
    // Of another fleet: everything that its bridge can send it is sealed to somebody else.
    [{ ...keyRecord({ gateway: 'h', to: other }), id: 'g' }, 'trust.bad_signature'],
  ] as const) {
    const { set, nacks } = open(createOpener(), record, api(sealed));
    assert.equal(set[0]?.refusal?.code, 'secrets.key_missing');
    assert.deepEqual(
      nacks.map((nack) => nack.code),
      code === undefined ? [] : [code],
    );
  }
});

test('a key record that does not open leaves the keys that are here', () => {
  const opener = createOpener();
  open(opener, keyRecord());
  open(opener, keyRecord({ to: createSealingKeyPair() }));
  assert.equal(open(opener, api(sealed)).set[0]?.refusal, undefined);
});

test('a gateway that is no longer entitled has no keys', () => {
  const opener = createOpener();
  open(opener, keyRecord());
  opener.open({ set: [], removed: [{ kind: 'environment-key', id: 'g' }], nacks: [] });
  assert.equal(open(opener, api(sealed)).set[0]?.refusal?.code, 'secrets.key_missing');
});

test('after a new key secrets of the old one still open', () => {
  const next = createDataKey();
  const opener = createOpener();
  const { set } = open(
    opener,
    keyRecord({ keys: [next, key] }),
    api(sealed),
    api(sealText(next, 'new', { ...place, id: 'b' }), {}, 'b'),
  );
  assert.deepEqual(set.map(secretOf), ['hunter2', 'new']);
});

test('a ciphertext that was changed, or moved to another field, record, environment or organization, is refused', () => {
  const changed = `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`;
  const elsewhere = (other: Partial<SealedPlace>) => sealText(key, 'hunter2', { ...place, ...other });
  const property = (value: string, more: object) => ({ properties: [{ key: 'p', value, ...more }] });
  for (const record of [
    api(changed),
    api(`${sealed.slice(0, 40)}${sealed.slice(44)}`),
    api('sealed:v1:x'),
    api('sealed:v2:new'),
    api(elsewhere({ field: 'endpoint: proxy.password' })),
    api(elsewhere({ id: 'b' })),
    api(elsewhere({ kind: 'shared-policy-group' })),
    api(elsewhere({ environment: 'prod' })),
    api(elsewhere({ organization: 'p' })),
    api('plain', property(sealed, { encrypted: true })),
    // Where no secret stands it would be sent to a backend as it is.
    api('plain', property(sealed, {})),
    api('plain', { name: sealed }),
  ]) {
    const { set } = open(createOpener(), keyRecord(), record);
    assert.equal(set[0]?.refusal?.code, 'secrets.tampered', decodeApi(record.payload).definition);
    assert.ok(!JSON.stringify(set[0].refusal).includes('hunter2'));
    assert.deepEqual(set[0].payload, record.payload);
  }
});

test('a record that is nested too deeply to find all its secrets is refused alone by name, whatever stands around', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}1${']'.repeat(levels)}`);
  const flows = (configuration: unknown) => ({ flows: [{ request: [{ policy: 'x', configuration }] }] });
  const fits = secretLevelsMax - 5;
  for (const [levels, isText, isRefused] of [
    [fits, false, false],
    [fits + 1, false, true],
    [fits, true, false],
    [fits + 1, true, true],
    [990, false, true],
    [990, true, true],
  ] as const) {
    const configuration = isText ? JSON.stringify(nested(levels)) : nested(levels);
    const { set } = open(
      createOpener(),
      keyRecord(),
      api(sealed, flows(configuration)),
      api('plain', {}, 'b'),
    );
    assert.deepEqual(
      set.map(({ id, refusal }) => [id, refusal?.code]),
      [
        ['a', isRefused ? 'request.invalid' : undefined],
        ['b', undefined],
      ],
      `${levels} ${isText}`,
    );
    if (isRefused)
      assert.match(set[0]?.refusal?.reason ?? '', /^flows\[0\].*: is nested deeper than 128 levels$/);
  }
});

test('what is sealed opens with its key in its place only, whole and unchanged, and does not show', () => {
  const keys = new Map([[key.id, key]]);
  for (const text of ['', 'ü€😀', 'x'.repeat(70_000), 'a\0b']) {
    const each = sealText(key, text, place);
    assert.equal(openText(keys, each, place), text);
    assert.notEqual(sealText(key, text, place), each, 'no two are the same');
  }
  assert.throws(() => openText(new Map(), sealed, place), { code: 'secrets.key_missing' });
  const body = sealed.lastIndexOf(':') + 1;
  for (let index = body; index < sealed.length - 1; index += 5) {
    const broken = `${sealed.slice(0, index)}${sealed[index] === 'A' ? 'B' : 'A'}${sealed.slice(index + 1)}`;
    assert.throws(() => openText(keys, broken, place), { code: 'secrets.tampered' });
  }
});
