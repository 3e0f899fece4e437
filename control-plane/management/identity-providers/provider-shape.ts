import { z } from '@hono/zod-openapi';
import type { FaultDetail } from '../../../proto/faults/fault.ts';
import { mask } from '../../../proto/trust/sealed-text.ts';
import type { IdentityProviderRow } from '../../access/identity/identity.store.ts';
import { refusedClaim, refusedCondition } from '../../access/identity/mapping.ts';
import { isLoopbackHttp, wellKnown } from '../../access/identity/oidc.ts';
import {
  choiceOf,
  idSchema,
  nameSchema,
  present,
  readOnlyFields,
  refusedFields,
  textSchema,
} from '../fields.ts';

const runTypes = ['OIDC', 'GOOGLE', 'GRAVITEEIO_AM'] as const;
const typeSchema = choiceOf(runTypes, ['GITHUB']);
/** Kinds of providers. */
export type ProviderType = (typeof runTypes)[number];

const url = z
  .string()
  .max(1_024)
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, username, password, hash } = new URL(text);
    return `${username}${password}${hash}` === '' && (protocol === 'https:' || isLoopbackHttp(text));
  }, 'must be an https URL without user, password and fragment; http is for loopback alone');
const discoveryUrl = url.refine(
  (text) => !URL.canParse(text) || text.endsWith(wellKnown),
  `must end with ${wellKnown}: what stands before is the issuer`,
);

const notRun = 'is not supported by this version';
const openFields = {
  discoveryEndpoint: discoveryUrl.optional(),
  /** In place of what the provider's document says. */
  authorizeEndpoint: url.optional(),
  tokenEndpoint: url.optional(),
  userInfoEndpoint: url.optional(),
  /** Told to consoles. */
  userLogoutEndpoint: url.optional(),
  color: z
    .string()
    .regex(/^#[0-9A-Fa-f]{6}$/, 'must be a colour such as #1a73e8')
    .optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'must be one scope'))
    .max(50)
    .optional(),
  /** Of an access management server. */
  serverURL: url.optional(),
  domain: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{1,128}$/, 'must be one part of a path')
    .optional(),
};
const configurationSchema = z.strictObject({
  clientId: z.string().max(512).optional(),
  clientSecret: z.string().max(2_048).optional(),
  ...openFields,
  ...refusedFields(z.string(), notRun, 'tokenIntrospectionEndpoint'),
});
/** What is kept of a configuration, beside the secret. */
const keptSchema = z.object({ clientId: z.string(), ...openFields });
/** See {@link keptSchema}. */
export type ProviderConfiguration = z.infer<typeof keptSchema>;

const claimSchema = judged(refusedClaim);
const conditionSchema = judged(refusedCondition);
const roleNames = z.array(z.string().min(1).max(128)).max(50);

function judged(refusalOf: (text: string) => string | undefined) {
  return z
    .string()
    .max(8_192)
    .superRefine((text, context) => {
      const message = refusalOf(text);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
}

const profileMappingSchema = z.strictObject({
  id: claimSchema.optional(),
  firstname: claimSchema.optional(),
  lastname: claimSchema.optional(),
  email: claimSchema.optional(),
  ...refusedFields(z.string(), `${notRun}: users have no pictures`, 'picture'),
});
const groupMappingSchema = z.strictObject({
  condition: conditionSchema,
  groups: z.array(idSchema).max(100),
});
const roleMappingSchema = z.strictObject({
  condition: conditionSchema,
  organizations: roleNames.default([]),
  environments: z.record(idSchema, roleNames).default({}),
});
const mappingsSchema = z.object({
  userProfileMapping: profileMappingSchema.default({}),
  groupMappings: z.array(groupMappingSchema).default([]),
  roleMappings: z.array(roleMappingSchema).default([]),
});
/** What is made of a profile. */
export type ProviderMappings = z.infer<typeof mappingsSchema>;

const writable = {
  name: z.string().trim().min(2).max(128),
  description: textSchema.optional(),
  enabled: z.boolean().default(true),
  configuration: configurationSchema,
  userProfileMapping: profileMappingSchema.optional(),
  groupMappings: z.array(groupMappingSchema).max(200).optional(),
  roleMappings: z.array(roleMappingSchema).max(200).optional(),
  emailRequired: z.boolean().default(false),
  /** Whether groups and roles are worked out at each sign-in, or at a user's first alone. */
  syncMappings: z.boolean().default(true),
  ...refusedFields(z.array(z.string()), notRun, 'persistedClaimsWhitelist'),
};
const answered = readOnlyFields('id', 'organization', 'redirectUri', 'created_at', 'updated_at');

/** Body of a creation. */
export const newProviderSchema = z
  .strictObject({ ...writable, type: typeSchema, ...answered })
  .openapi('NewIdentityProvider');
/** Body of an update; the type stays. */
export const updateProviderSchema = z
  .strictObject({ ...writable, ...readOnlyFields('type'), ...answered })
  .openapi('UpdateIdentityProvider');
/** What a creation or an update wants. */
export type ProviderWish = z.infer<typeof updateProviderSchema>;

/** A provider as it is answered. */
export const providerSchema = z
  .object({
    id: z.string(),
    organization: z.string(),
    name: nameSchema,
    description: z.string().optional(),
    type: z.enum(runTypes),
    enabled: z.boolean(),
    configuration: keptSchema.extend({ clientSecret: z.string() }),
    userProfileMapping: profileMappingSchema,
    groupMappings: z.array(groupMappingSchema),
    roleMappings: z.array(roleMappingSchema),
    emailRequired: z.boolean(),
    syncMappings: z.boolean(),
    /** Where the provider sends browsers back, exactly; absent while the control plane does not know its own URL. */
    redirectUri: z.string().optional(),
    created_at: z.int(),
    updated_at: z.int(),
  })
  .openapi('IdentityProvider');
/** A provider as it is answered. */
export type ProviderView = z.infer<typeof providerSchema>;

/** One of a list. */
export const listedProviderSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().optional(),
    enabled: z.boolean(),
    sync: z.boolean(),
    type: z.enum(runTypes),
    created_at: z.int(),
    updated_at: z.int(),
  })
  .openapi('IdentityProviderListItem');

/** What a row holds of a configuration. */
export const configurationOf = (row: Pick<IdentityProviderRow, 'configuration'>): ProviderConfiguration =>
  keptSchema.parse(JSON.parse(row.configuration));
/** What a row holds of mappings. */
export const mappingsOf = (row: Pick<IdentityProviderRow, 'mappings'>): ProviderMappings =>
  mappingsSchema.parse(JSON.parse(row.mappings));

/** As it is answered; the secret never is. */
export function providerView(row: IdentityProviderRow, publicUrl: string | undefined): ProviderView {
  return present({
    id: row.id,
    organization: row.organization,
    name: row.name,
    description: row.description === '' ? undefined : row.description,
    type: row.type as ProviderType,
    enabled: row.enabled === 1,
    configuration: { ...configurationOf(row), clientSecret: mask },
    ...mappingsOf(row),
    emailRequired: row.email_required === 1,
    syncMappings: row.sync_mappings === 1,
    redirectUri: redirectUriOf(publicUrl, row),
    created_at: row.created_at_ms,
    updated_at: row.updated_at_ms,
  });
}

/** As a list has it. */
export function listedView(row: IdentityProviderRow): z.infer<typeof listedProviderSchema> {
  return present({
    id: row.id,
    name: row.name,
    description: row.description === '' ? undefined : row.description,
    enabled: row.enabled === 1,
    sync: row.sync_mappings === 1,
    type: row.type as ProviderType,
    created_at: row.created_at_ms,
    updated_at: row.updated_at_ms,
  });
}

/** Where a provider sends browsers back. Each has one of its own, so that no provider can pass as another one (RFC 9700, 4.4.2). */
export function redirectUriOf<Url extends string | undefined>(
  publicUrl: Url,
  { organization, id }: Pick<IdentityProviderRow, 'organization' | 'id'>,
): Url {
  if (publicUrl === undefined) return undefined as Url;
  const base = publicUrl.replace(/\/+$/, '');
  return `${base}/management/organizations/${organization}/auth/oauth2/${id}/_callback` as Url;
}

const googleDiscovery = `https://accounts.google.com${wellKnown}`;

/** The document that says how to speak to a provider. */
export function discoveryOf(type: ProviderType, kept: ProviderConfiguration): string {
  if (type === 'GOOGLE') return googleDiscovery;
  const { discoveryEndpoint = '', serverURL = '', domain = '' } = kept;
  if (type === 'OIDC' || discoveryEndpoint !== '') return discoveryEndpoint;
  return `${serverURL.replace(/\/+$/, '')}/${domain}/oidc${wellKnown}`;
}

/** What a type lacks, or has no use for. */
export function misfits(type: ProviderType, wish: ProviderWish['configuration']): readonly FaultDetail[] {
  const at = (name: string, message: string): FaultDetail => ({ path: `configuration.${name}`, message });
  const has = (name: keyof typeof openFields): boolean => wish[name] !== undefined;
  const unused = (names: readonly (keyof typeof openFields)[]) =>
    names.filter(has).map((name) => at(name, `means nothing for ${type}`));
  if (type === 'GOOGLE') return unused(['discoveryEndpoint', 'serverURL', 'domain']);
  if (type === 'OIDC')
    return [
      ...unused(['serverURL', 'domain']),
      ...(has('discoveryEndpoint') ? [] : [at('discoveryEndpoint', 'is required: it says whose keys sign')]),
    ];
  if (has('discoveryEndpoint')) return unused(['serverURL', 'domain']);
  return (['serverURL', 'domain'] as const)
    .filter((name) => !has(name))
    .map((name) => at(name, 'is required, or discoveryEndpoint'));
}
