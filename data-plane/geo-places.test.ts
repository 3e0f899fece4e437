import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Fault } from '../proto/faults/fault.ts';
import { eventually } from '../test/kit/eventually.ts';
import { createFakeClock } from '../test/kit/fake-clock.ts';
import { geoDatabase } from '../test/kit/servers/geo-database.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { gatewayConfigSchema } from './config.ts';
import { createGeoPlaces } from './geo-places.ts';

const settings = (geoip: object) => gatewayConfigSchema.parse({ policy: { geoip } }).policy.geoip;
const paris = {
  city: { names: { en: 'Paris' } },
  country: { iso_code: 'FR', names: { en: 'France' } },
  location: { latitude: 48.8566, longitude: -2.3522, time_zone: 'Europe/Paris' },
  subdivisions: [{ names: { en: 'Île-de-France' } }],
};

test('addresses of both versions are found in their networks, with what the database says of them', (t) => {
  const databaseFile = join(tempDir(t), 'city.mmdb');
  writeFileSync(
    databaseFile,
    geoDatabase({
      '192.0.2.0/24': paris,
      '2001:db8::/32': { country: { iso_code: 'ES' } },
      '10.0.0.1/32': {},
    }),
  );
  const places = createGeoPlaces(settings({ databaseFile }), createFakeClock());
  assert.deepEqual(places?.placeOf('192.0.2.255'), {
    countryCode: 'FR',
    countryName: 'France',
    regionName: 'Île-de-France',
    cityName: 'Paris',
    timezone: 'Europe/Paris',
    latitude: 48.8566,
    longitude: -2.3522,
  });
  assert.equal(places.placeOf('2001:db8:1::7')?.countryCode, 'ES');
  for (const unknown of ['192.0.3.0', '2001:db9::', '127.0.0.1', '10.0.0.2', '::1'])
    assert.equal(places.placeOf(unknown), undefined, unknown);
  assert.equal(places.placeOf('10.0.0.1')?.countryCode, undefined);
});

test('a file that is replaced counts after lookEveryMs; one that cannot be read changes nothing and is told until it can', async (t) => {
  const databaseFile = join(tempDir(t), 'city.mmdb');
  const write = (code: string): void => {
    writeFileSync(`${databaseFile}.new`, geoDatabase({ '192.0.2.0/24': { country: { iso_code: code } } }));
    renameSync(`${databaseFile}.new`, databaseFile);
  };
  write('FR');
  const clock = createFakeClock();
  const places = createGeoPlaces(settings({ databaseFile, lookEveryMs: 5_000 }), clock);
  const code = (): string | undefined => places?.placeOf('192.0.2.7')?.countryCode;
  write('ES');
  assert.equal(code(), 'FR', 'it is not looked at before');
  const later = async (isSo: () => boolean): Promise<void> => {
    await clock.advance(5_000);
    code();
    await eventually(isSo);
  };
  await later(() => code() === 'ES');
  writeFileSync(databaseFile, 'broken');
  await later(() => places?.fault !== undefined);
  assert.equal(code(), 'ES');
  const broken = places?.fault;
  rmSync(databaseFile);
  await later(() => places?.fault !== undefined && places.fault !== broken);
  assert.equal(code(), 'ES');
  write('DE');
  await later(() => places?.fault === undefined && code() === 'DE');
});

test('without a file there are no places, and one that cannot be read is refused with its setting', (t) => {
  assert.equal(createGeoPlaces(settings({}), createFakeClock()), undefined);
  const broken = join(tempDir(t), 'broken.mmdb');
  writeFileSync(broken, 'no database');
  for (const databaseFile of [broken, `${broken}.nowhere`])
    assert.throws(
      () => createGeoPlaces(settings({ databaseFile }), createFakeClock()),
      (error) => error instanceof Fault && error.details?.[0]?.path === 'policy.geoip.databaseFile',
    );
  const parses = (lookEveryMs: number): boolean =>
    gatewayConfigSchema.safeParse({ policy: { geoip: { lookEveryMs } } }).success;
  assert.deepEqual([1_000, 999, 86_400_000, 86_400_001].map(parses), [true, false, true, false]);
});
