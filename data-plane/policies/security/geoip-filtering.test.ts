import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { kitGround, startPolicy } from '../../../test/kit/gateway/policies.ts';
import type { GeoPlace, GeoPlaces } from '../policy.ts';

const paris: GeoPlace = {
  countryCode: 'FR',
  countryName: 'France',
  regionName: 'Île-de-France',
  cityName: 'Paris',
  timezone: 'Europe/Paris',
  latitude: 48.8566,
  longitude: 2.3522,
};
const somewhere: GeoPlace = {
  ...paris,
  countryCode: 'ES',
  countryName: 'Spain',
  latitude: undefined,
  longitude: undefined,
};
const places: GeoPlaces = {
  fault: undefined,
  placeOf: (address) =>
    new Map([
      ['192.0.2.7', paris],
      ['2001:db8::7', somewhere],
    ]).get(address),
};

function ask(configuration: object, address = '192.0.2.7', geoPlaces: GeoPlaces = places) {
  const call = startPolicy('geoip-filtering', configuration, {
    host: { ground: { ...kitGround, geoPlaces } },
  }).call({ request: { remoteAddress: address }, headers: { 'X-Client': address } });
  const verdict = call.pass();
  assert.ok(!(verdict instanceof Promise));
  return {
    call,
    said: verdict === undefined ? 'passes' : 'key' in verdict ? verdict.key : verdict.kind,
    verdict,
  };
}

const country = (code: string) => ({ type: 'COUNTRY', country: code });
const near = (distance: number) => ({ type: 'DISTANCE', latitude: 51.5074, longitude: -0.1278, distance });

test('one rule that holds is enough: the country, or less than the distance; none lets nobody pass, no list all that are known', () => {
  const [unknown, invalid] = ['GEOIP_FILTERING_UNKNOWN', 'GEOIP_FILTERING_INVALID'];
  const rows: readonly (readonly [whitelistRules: object[] | undefined, address: string, said: string])[] = [
    [[country('FR')], '192.0.2.7', 'passes'],
    [[country('FR')], '::ffff:192.0.2.7', 'passes'],
    [[country('DE')], '192.0.2.7', invalid],
    [[country('DE'), country('ES')], '2001:db8:0::7', 'passes'],
    // London to Paris, by the great circle: 343.5 km.
    [[near(344_000)], '192.0.2.7', 'passes'],
    [[near(343_000)], '192.0.2.7', invalid],
    [[near(20_000_000)], '2001:db8::7', invalid],
    [[], '192.0.2.7', invalid],
    [undefined, '192.0.2.7', 'passes'],
    [undefined, '198.51.100.7', unknown],
    [[country('FR')], '198.51.100.7', unknown],
  ];
  for (const [whitelistRules, address, said] of rows)
    assert.equal(ask({ whitelistRules }, address).said, said, `${JSON.stringify(whitelistRules)} ${address}`);
  assert.equal(ask({ failOnUnknown: false, whitelistRules: [] }, '198.51.100.7').said, 'passes');
});

test('a distance of exactly as many metres is too far', () => {
  const here = { type: 'DISTANCE', latitude: 48.8566, longitude: 2.3522 };
  assert.equal(ask({ whitelistRules: [{ ...here, distance: 1 }] }).said, 'passes');
  assert.equal(ask({ whitelistRules: [{ ...here, distance: 0 }] }).said, 'GEOIP_FILTERING_INVALID');
});

test('a refusal says of whom and where, and attributes do where that is asked for', () => {
  const refused = ask({ whitelistRules: [] }).verdict;
  assert.ok(refused?.kind === 'reject');
  const facts = {
    remote_address: '192.0.2.7',
    country_iso_code: 'FR',
    country_name: 'France',
    region_name: 'Île-de-France',
    city_name: 'Paris',
    timezone: 'Europe/Paris',
  };
  assert.deepEqual([refused.status, refused.parameters], [403, facts]);
  const unknown = ask({}, '198.51.100.7').verdict;
  assert.ok(unknown?.kind === 'reject');
  assert.deepEqual([unknown.status, unknown.parameters], [403, { remote_address: '198.51.100.7' }]);
  assert.equal(ask({}).call.attributes.size, 0);
  assert.deepEqual(
    Object.fromEntries(ask({ exposeGeoIpMatching: true }).call.attributes),
    Object.fromEntries(Object.entries(facts).map(([name, value]) => [`geoIP_${name}`, value])),
  );
});

test('the address may be said by an expression; what is none is unknown', () => {
  const custom = (customIPAddress: string) =>
    ask({ useCustomIPAddress: true, customIPAddress }, '2001:db8::7').said;
  assert.equal(custom("{#request.headers['X-Client'][0]}"), 'passes');
  assert.equal(custom(' 192.0.2.7 '), 'passes');
  for (const none of ['', 'localhost', '192.0.2.7, 192.0.2.7', "{#request.headers['Nope']}"])
    assert.equal(custom(none), 'GEOIP_FILTERING_UNKNOWN', none);
  const failing = ask({ useCustomIPAddress: true, customIPAddress: "{#request.headers['Nope'][0]}" });
  assert.deepEqual(
    [failing.said, failing.call.warnings],
    ['GEOIP_FILTERING_UNKNOWN', ['EXPRESSION_EVALUATION_ERROR']],
  );
});

test('a database that cannot be read any more is told, and its last content counts', () => {
  const { said, call } = ask({}, '192.0.2.7', { ...places, fault: 'no such file' });
  assert.deepEqual([said, call.warnings], ['passes', ['GEOIP_DATABASE_UNREADABLE']]);
});

test('a gateway without a database refuses the API, with the setting that it needs', () => {
  assert.throws(
    () => startPolicy('geoip-filtering', {}),
    (error) =>
      error instanceof Fault &&
      error.details?.[0]?.path === 'flows[0].request[0].policy' &&
      /set policy\.geoip\.databaseFile/.test(error.details[0].message),
  );
});

test('rules are bounded', () => {
  const faulty = (rule: object): boolean =>
    !catalog['geoip-filtering'].config.safeParse({ whitelistRules: [rule] }).success;
  assert.ok(!faulty({}) && !faulty({ country: 'A1' }));
  for (const rule of [
    { type: 'CITY' },
    { country: 'FRA' },
    { country: 'fr' },
    { country: 'ZZ' },
    { latitude: 90.1 },
    { longitude: -180.1 },
    { distance: -1 },
    { distance: 0.5 },
  ])
    assert.ok(faulty(rule), JSON.stringify(rule));
});
