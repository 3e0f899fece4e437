import { z } from '@hono/zod-openapi';
import { applicationStatusSchema, applicationTypeSchema } from '../../../proto/model/application.ts';
import { apiKeyModeSchema } from '../../../proto/model/subscription.ts';
import { isSecretName } from '../../../proto/model/secrets/names.ts';
import type { Owner } from '../../access/memberships.store.ts';
import { primaryOwnerSchema } from '../apis/api-shape.ts';
import {
  configurationSchema,
  nameSchema,
  present,
  readOnlyFields,
  textSchema,
  wordsSchema,
} from '../fields.ts';
import type { ApplicationRow } from './applications.store.ts';
import { tlsSettingsSchema } from './certificates.ts';

/** Most characters of a client id. */
export const clientIdCharsMax = 256;

/** What is known of the client at its authorization server; its secret is nobody's here, since no client is registered there. */
const oauthSchema = configurationSchema.superRefine((fields, context) => {
  for (const [name, value] of Object.entries(fields))
    if (isSecretName(name) && typeof value !== 'boolean')
      context.addIssue({
        code: 'custom',
        path: [name],
        message:
          'is a secret, which an application does not keep: clients are not registered from here; leave it out',
      });
});

/** v1 resources spell their fields in snake case and their times in ms since the epoch, as in the reference. */
const settingsSchema = z
  .strictObject({
    app: z
      .strictObject({
        type: z.string().max(64).optional(),
        client_id: z.string().min(1).max(clientIdCharsMax).optional(),
      })
      .optional(),
    oauth: oauthSchema.optional(),
    tls: tlsSettingsSchema.optional(),
  })
  .openapi('ApplicationSettings');

const writableFields = {
  name: nameSchema,
  description: textSchema,
  domain: z.string().max(512).optional(),
  type: applicationTypeSchema.optional(),
  settings: settingsSchema.optional(),
  groups: wordsSchema.optional(),
  api_key_mode: apiKeyModeSchema.optional(),
};

/** Body of a creation. */
export const createApplicationSchema = z
  .strictObject({ ...writableFields, clientId: z.string().min(1).max(clientIdCharsMax).optional() })
  .openapi('NewApplication');

/** Body of an update. */
export const updateApplicationSchema = z
  .strictObject({
    ...readOnlyFields('id', 'status', 'created_at', 'updated_at', 'owner', 'origin'),
    ...writableFields,
  })
  .openapi('UpdateApplication');

/** An application as it is answered. */
export const applicationSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    domain: z.string().optional(),
    type: applicationTypeSchema,
    status: applicationStatusSchema,
    groups: z.array(z.string()),
    settings: settingsSchema,
    api_key_mode: apiKeyModeSchema,
    owner: primaryOwnerSchema.optional(),
    created_at: z.int(),
    updated_at: z.int(),
    origin: z.literal('MANAGEMENT'),
  })
  .openapi('Application');

/** What a creation wants. */
export type ApplicationWish = z.infer<typeof createApplicationSchema>;
/** What an update wants. */
export type ApplicationUpdate = z.infer<typeof updateApplicationSchema>;
/** An application as it is answered. */
export type ApplicationView = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly updated_at: number;
};

/** The settings column: what was written, with the client id in its place. */
export function settingsText(wish: ApplicationWish | ApplicationUpdate): string {
  const clientId = 'clientId' in wish && typeof wish.clientId === 'string' ? wish.clientId : undefined;
  const app = { ...wish.settings?.app, ...(clientId === undefined ? {} : { client_id: clientId }) };
  return JSON.stringify({ ...wish.settings, app });
}

/** The id by which tokens name the application: of its own, or of the client that it is at an authorization server. */
export function clientIdOf(application: Pick<ApplicationRow, 'settings'>): string | undefined {
  const { app, oauth } = clientIdsOf(application);
  return app ?? (typeof oauth === 'string' ? oauth : undefined);
}

/** Both places that it may stand in, as they were written. */
export function clientIdsOf({ settings }: Pick<ApplicationRow, 'settings'>): {
  readonly app: string | undefined;
  readonly oauth: unknown;
} {
  const { app, oauth } = JSON.parse(settings) as {
    readonly app?: { readonly client_id?: string };
    readonly oauth?: { readonly client_id?: unknown };
  };
  return { app: app?.client_id, oauth: oauth?.client_id };
}

/** Plans whose callers present a token: it names a client, by whose id the subscription is found. */
export const plansOfClients: readonly string[] = ['JWT', 'OAUTH2'];

/** The application for a reader. */
export function applicationView(
  row: ApplicationRow,
  { owner, groups }: { readonly owner: Owner | undefined; readonly groups: readonly string[] | undefined },
): ApplicationView {
  // Older versions kept words there that meant nothing.
  const { groups: _words, ...settings } = JSON.parse(row.settings) as Record<string, unknown>;
  return present({
    id: row.id,
    name: row.name,
    description: row.description,
    domain: row.domain ?? undefined,
    type: row.type,
    status: row.status,
    groups: groups ?? [],
    settings,
    api_key_mode: row.api_key_mode,
    owner: owner === undefined ? undefined : ({ ...owner, type: 'USER' } as const),
    created_at: row.created_at_ms,
    updated_at: row.updated_at_ms,
    origin: 'MANAGEMENT',
  });
}
