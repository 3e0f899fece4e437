import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { definePolicy } from '../policy-schema.ts';

/** Of ISO 3166-1; and what MaxMind and the reference say of proxies, satellites and whole regions. */
const countries = [
  'A1 A2 O1 AP EU XK',
  'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT',
  'BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH',
  'ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT',
  'HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS',
  'LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI',
  'NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG',
  'SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG',
  'UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW',
].flatMap((line) => line.split(' '));

const rule = z.strictObject({
  type: z.enum(['COUNTRY', 'DISTANCE']).default('COUNTRY'),
  country: z.enum(countries).default('A1').describe('Of a COUNTRY.'),
  latitude: z.number().min(-90).max(90).default(0).describe('Of a DISTANCE, in degrees.'),
  longitude: z.number().min(-180).max(180).default(0).describe('Of a DISTANCE, in degrees.'),
  distance: z.int().min(0).max(20_100_000).default(10_000).describe('Of a DISTANCE, in metres.'),
});

/** Lets callers pass by where their address is. */
export const geoipFiltering = definePolicy({
  id: 'geoip-filtering',
  aliases: ['policy-geoip-filtering'],
  title: 'GeoIP filtering',
  summary: 'Lets callers pass by the country of their address, or its distance.',
  category: 'security',
  phases: ['request'],
  config: () =>
    z.strictObject({
      failOnUnknown: z
        .boolean()
        .default(true)
        .describe('Whether a caller is refused of whose address nothing is known.'),
      whitelistRules: z.array(rule).max(500).optional(),
      exposeGeoIpMatching: z.boolean().default(false).describe('Whether attributes say where the caller is.'),
      useCustomIPAddress: z.boolean().default(false),
      customIPAddress: template(z.string().max(256)).prefault(''),
    }),
  errors: {
    GEOIP_FILTERING_UNKNOWN: {
      status: 403,
      message: 'Forbidden: nothing is known of the address {remote_address}',
    },
    GEOIP_FILTERING_INVALID: {
      status: 403,
      message: 'Forbidden: the address {remote_address} is not where callers may come from',
    },
  },
  docs: 'Looks the address of the caller up in a database in the format of MaxMind (GeoLite2 City, or Country where only countries are asked for), which is not shipped: the setting `policy.geoip.databaseFile` of the gateway names it, and a gateway without it refuses the API. A file that is replaced counts within a minute.\n\nOne rule that holds is enough: the country, or less than `distance` metres to a place, on the great circle. Without `whitelistRules` all pass whose place is known, with none of them nobody. With `useCustomIPAddress` it is the address in `customIPAddress`; one that is none is unknown.\n\nWith `exposeGeoIpMatching` the attributes `geoIP_remote_address`, `geoIP_country_iso_code`, `geoIP_country_name`, `geoIP_region_name`, `geoIP_city_name` and `geoIP_timezone` are set, and so are parameters of those names (`remote_address`, `country_iso_code` ...) for response templates.',
  example: () => ({
    about: 'Callers from France pass. Behind a proxy of your own their address is in a header.',
    settings: { policy: { geoip: { databaseFile: '/var/lib/GeoIP/GeoLite2-City.mmdb' } } },
    request: [
      {
        policy: 'geoip-filtering',
        configuration: {
          whitelistRules: [{ type: 'COUNTRY', country: 'FR' }],
          useCustomIPAddress: true,
          customIPAddress: "{#request.headers['X-Client'][0]}",
        },
      },
    ],
    calls: [
      { request: { headers: { 'X-Client': '192.0.2.7' } }, answer: { body: 'hello' } },
      {
        about: 'An address in Spain.',
        request: { headers: { 'X-Client': '198.51.100.7' } },
        received: 'nothing',
        answer: { status: 403 },
      },
    ],
  }),
});
