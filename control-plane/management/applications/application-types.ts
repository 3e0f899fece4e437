import { z } from '@hono/zod-openapi';

const grantTypeSchema = z.object({ type: z.string(), name: z.string(), response_types: z.array(z.string()) });

/** A kind of application: which OAuth grants a client of it may use. */
export const applicationTypeViewSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    requires_redirect_uris: z.boolean(),
    allowed_grant_types: z.array(grantTypeSchema),
    default_grant_types: z.array(grantTypeSchema),
    mandatory_grant_types: z.array(grantTypeSchema),
  })
  .openapi('ApplicationType');

type ApplicationTypeView = z.infer<typeof applicationTypeViewSchema>;

const code = { type: 'authorization_code', name: 'Authorization Code', response_types: ['code'] };
const implicit = { type: 'implicit', name: 'Implicit', response_types: ['token', 'id_token'] };
const refresh = { type: 'refresh_token', name: 'Refresh Token', response_types: [] };
const password = { type: 'password', name: 'Resource Owner Password', response_types: [] };
const client = { type: 'client_credentials', name: 'Client Credentials', response_types: [] };

/** The kinds of applications, in the reference's terms. */
export const applicationTypes: readonly ApplicationTypeView[] = [
  {
    id: 'simple',
    name: 'Simple',
    description: 'A standalone client, whose client id is managed by hand.',
    requires_redirect_uris: false,
    allowed_grant_types: [],
    default_grant_types: [],
    mandatory_grant_types: [],
  },
  {
    id: 'browser',
    name: 'SPA',
    description: 'A client that runs in a browser.',
    requires_redirect_uris: true,
    allowed_grant_types: [code, implicit],
    default_grant_types: [code],
    mandatory_grant_types: [],
  },
  {
    id: 'web',
    name: 'Web',
    description: 'A web client that runs on a server.',
    requires_redirect_uris: true,
    allowed_grant_types: [code, refresh, implicit],
    default_grant_types: [code],
    mandatory_grant_types: [code],
  },
  {
    id: 'native',
    name: 'Native',
    description: 'A client on a phone or desktop.',
    requires_redirect_uris: true,
    allowed_grant_types: [code, refresh, password, implicit],
    default_grant_types: [code],
    mandatory_grant_types: [code],
  },
  {
    id: 'backend_to_backend',
    name: 'Backend to backend',
    description: 'A program that speaks to another.',
    requires_redirect_uris: false,
    allowed_grant_types: [client],
    default_grant_types: [client],
    mandatory_grant_types: [client],
  },
];
