import { z } from 'zod';

import { atDeploy } from '../deploy/at-deploy.ts';
import { apiLimits } from '../api-limits.ts';
import { sslSchema } from '../api-tls.ts';
import { headerValueSchema } from '../head-text.ts';
import { secret } from '../secrets/mark.ts';
import { choice, isOff, orJsonText, section } from '../sections.ts';

const dnsName = /^(?=.{1,253}\.?$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/;

/** Below the origin of a server; it is no expression, whoever wrote it. */
export const discoveredPathSchema = z
  .string()
  .max(apiLimits.pathCharsMax)
  .regex(/^(?:\/[\w.~!$&'()*+,;=:@%/-]*)?$/, 'must be empty, or a path that begins with a slash');

/** Where Consul is asked. */
const consulUrlSchema = z
  .string()
  .max(apiLimits.targetCharsMax)
  .refine((text) => {
    const url = URL.parse(text);
    return (
      url !== null &&
      /^https?:$/.test(url.protocol) &&
      url.username === '' &&
      url.password === '' &&
      url.search === '' &&
      url.hash === ''
    );
  }, 'must be an http:// or https:// URL without user information, query and fragment');

/** What says how endpoints are found, by type. */
export const discoveryCatalog = {
  'consul-service-discovery': {
    config: section({
      url: atDeploy(consulUrlSchema).default('http://localhost:8500'),
      service: atDeploy(z.string().min(1, 'is required').max(apiLimits.nameCharsMax)),
      /** Empty: that of whoever is asked. */
      dc: atDeploy(z.string().max(128)).default(''),
      /** A token of Consul's access control. */
      acl: secret(atDeploy(headerValueSchema.max(1_024))).default(''),
      ssl: sslSchema.prefault({}),
    }),
  },
  'dns-service-discovery': {
    config: section({
      host: atDeploy(
        z.string().regex(dnsName, 'must be a name such as orders.internal or _http._tcp.orders.internal'),
      ),
      record: choice(['a', 'aaaa', 'srv']).default('a'),
      /** Not of SRV, whose records say it; else the one of the scheme where nothing is said. */
      port: z.int().min(1).max(65_535).optional(),
      scheme: choice(['http', 'https', 'grpc', 'grpcs']).default('http'),
      path: discoveredPathSchema.default(''),
    }).refine(({ record, port }) => record !== 'srv' || port === undefined, {
      path: ['port'],
      message: 'is said by SRV records; allowed: nothing, or record: A',
    }),
  },
} as const;

const discovery = <Type extends string, Config extends z.ZodType>(type: Type, config: Config) =>
  section({
    enabled: z.boolean().default(true),
    type: z.literal(type),
    overrideConfiguration: z.boolean().default(false),
    configuration: orJsonText(config),
  });

const consulSchema = discovery(
  'consul-service-discovery',
  discoveryCatalog['consul-service-discovery'].config,
);
const dnsSchema = discovery('dns-service-discovery', discoveryCatalog['dns-service-discovery'].config);

const types = 'consul-service-discovery, dns-service-discovery, or enabled: false';

/** How endpoints of a group are found, beside those that it names; undefined where they are not. */
export const discoverySchema = z.preprocess(
  (value) => (isOff(value) ? undefined : withPlainType(value)),
  z
    .discriminatedUnion('type', [consulSchema, dnsSchema], {
      error: ({ code, input }) =>
        code === 'invalid_union' && typeof input === 'object' ? typeMessage(input) : undefined,
    })
    .optional(),
);

/** How endpoints of a group are found. */
export type DiscoveryDefinition = NonNullable<z.output<typeof discoverySchema>>;

function withPlainType(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
    ? { ...value, type: value.type.toLowerCase().replaceAll('_', '-') }
    : value;
}

function typeMessage(input: object | null): string {
  const type = input !== null && 'type' in input && typeof input.type === 'string' ? input.type : undefined;
  return type === undefined
    ? `is required; allowed: ${types}`
    : `"${type}" is not supported by this version; allowed: ${types}`;
}
