import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type * as MaxMind from 'maxmind';

import { Fault } from '../proto/faults/fault.ts';
import type { Clock } from '../proto/process/clock.ts';
import { systemWords } from '../proto/process/system-words.ts';
import type { GatewayConfig } from './config.ts';
import type { GeoPlace, GeoPlaces } from './policies/policy.ts';

/** Code that a gateway without a database never loads. */
const requireNow = createRequire(import.meta.url);

/**
 * Where addresses are, by a database in MaxMind's format; undefined without one.
 *
 * The file is looked at again when it is asked and `lookEveryMs` have passed. One that was replaced is read aside, and counts from then on;
 * one that cannot be read changes nothing, and `fault` says why until it can.
 *
 * Errors: config.invalid when it cannot be read at the start.
 */
export function createGeoPlaces(
  { databaseFile, lookEveryMs }: GatewayConfig['policy']['geoip'],
  clock: Clock,
): GeoPlaces | undefined {
  if (databaseFile === undefined) return undefined;
  let reader = readerOf(databaseFile);
  let known: string | undefined;
  let lookedAtMs = clock.monotonicMs();
  let fault: string | undefined;
  const look = async (): Promise<void> => {
    try {
      const { mtimeMs, size, ino } = await stat(databaseFile);
      const now = [mtimeMs, size, ino].join(':');
      if (now !== known || fault !== undefined) reader = made(await readFile(databaseFile));
      known = now;
      fault = undefined;
    } catch (error) {
      fault = systemWords(error);
    }
  };
  return {
    get fault() {
      return fault;
    },
    placeOf(address) {
      if (clock.monotonicMs() - lookedAtMs >= lookEveryMs) {
        lookedAtMs = clock.monotonicMs();
        void look();
      }
      return placeIn(reader.get(address));
    },
  };
}

type GeoReader = MaxMind.Reader<MaxMind.CityResponse>;

function made(bytes: Buffer): GeoReader {
  const { Reader } = requireNow('maxmind') as typeof MaxMind;
  return new Reader<MaxMind.CityResponse>(bytes);
}

function readerOf(file: string): GeoReader {
  try {
    return made(readFileSync(file));
  } catch (error) {
    throw new Fault('config.invalid', {
      details: [{ path: 'policy.geoip.databaseFile', message: `the file ${file} ${systemWords(error)}` }],
      hint: 'Name a database in the format of MaxMind that the user of this process can read.',
    });
  }
}

function placeIn(record: MaxMind.CityResponse | null): GeoPlace | undefined {
  if (record === null) return undefined;
  const { country, subdivisions, city, location } = record;
  return {
    countryCode: country?.iso_code,
    countryName: country?.names?.en,
    regionName: subdivisions?.[0]?.names?.en,
    cityName: city?.names?.en,
    timezone: location?.time_zone,
    latitude: location?.latitude,
    longitude: location?.longitude,
  };
}
