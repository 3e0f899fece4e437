import ipaddr from 'ipaddr.js';

import { needsOf } from '../../../proto/expression/template.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { CONTINUE, type GeoPlace, type PolicyCall, type PolicyFactory, type Verdict } from '../policy.ts';

type Config = PolicyConfig<'geoip-filtering'>;
type Rule = NonNullable<Config['whitelistRules']>[number];

/** Mean radius of the earth (IUGG), in metres. */
const earthMetres = 6_371_008.8;

/** Judges callers by where their address is. */
export const geoipFiltering: PolicyFactory<'geoip-filtering'> = (config, { refuse, host, place: at }) => {
  const { geoPlaces } = host.ground;
  if (geoPlaces === undefined)
    throw new Fault('request.invalid', {
      details: [
        {
          path: `${at.at}.policy`,
          message:
            'geoip-filtering needs a database in the format of MaxMind, and this gateway has none: set policy.geoip.databaseFile',
        },
      ],
    });
  const { whitelistRules, failOnUnknown, exposeGeoIpMatching } = config;
  return {
    request: {
      needs: config.useCustomIPAddress ? needsOf([config.customIPAddress]) : 'head',
      run(call: PolicyCall): Verdict {
        const { address, said } = addressOf(call, config);
        const place = address === undefined ? undefined : geoPlaces.placeOf(address);
        if (geoPlaces.fault !== undefined) call.warn('GEOIP_DATABASE_UNREADABLE', geoPlaces.fault);
        if (place === undefined)
          return failOnUnknown
            ? refuse('GEOIP_FILTERING_UNKNOWN', { parameters: { remote_address: said } })
            : CONTINUE;
        const facts = { remote_address: said, ...factsOf(place) };
        if (exposeGeoIpMatching)
          for (const [name, value] of Object.entries(facts)) call.attributes.set(`geoIP_${name}`, value);
        if (whitelistRules === undefined || whitelistRules.some((rule) => holds(rule, place)))
          return CONTINUE;
        return refuse('GEOIP_FILTERING_INVALID', { parameters: facts });
      },
    },
  };
};

/** The address that is asked about, undefined for what is none, and how it was said. */
function addressOf(
  call: PolicyCall,
  { useCustomIPAddress, customIPAddress }: Config,
): { readonly address: string | undefined; readonly said: string } {
  const rendered = useCustomIPAddress ? customIPAddress.render(call) : undefined;
  if (rendered?.kind === 'failed') call.warn('EXPRESSION_EVALUATION_ERROR', rendered.why);
  const said =
    rendered === undefined
      ? call.request.remoteAddress
      : rendered.kind === 'value'
        ? rendered.value.trim()
        : '';
  // An address of version 4 in the dress of version 6 is one of version 4.
  return { address: ipaddr.isValid(said) ? ipaddr.process(said).toString() : undefined, said };
}

const factsOf = (place: GeoPlace): Readonly<Record<string, string>> => ({
  country_iso_code: place.countryCode ?? '',
  country_name: place.countryName ?? '',
  region_name: place.regionName ?? '',
  city_name: place.cityName ?? '',
  timezone: place.timezone ?? '',
});

function holds(rule: Rule, place: GeoPlace): boolean {
  if (rule.type === 'COUNTRY') return place.countryCode === rule.country;
  const { latitude, longitude } = place;
  return (
    latitude !== undefined && longitude !== undefined && metres(rule, { latitude, longitude }) < rule.distance
  );
}

interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** On the great circle, by the haversine. */
function metres(one: Point, other: Point): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const half = (degrees: number): number => Math.sin(radians(degrees) / 2) ** 2;
  const chord =
    half(other.latitude - one.latitude) +
    Math.cos(radians(one.latitude)) *
      Math.cos(radians(other.latitude)) *
      half(other.longitude - one.longitude);
  return 2 * earthMetres * Math.asin(Math.sqrt(Math.min(1, chord)));
}
