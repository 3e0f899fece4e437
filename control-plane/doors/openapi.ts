import { OpenAPIHono, z } from '@hono/zod-openapi';
import { routes } from '../management/index.ts';
import { choiceSchema, resetWishSchema } from '../management/account/password-links.ts';
import {
  registeredSchema,
  registrationEndSchema,
  registrationSchema,
} from '../management/account/registration.ts';
import { operationsSchema } from '../management/patch.ts';
import { basePaths, isRepeatable, type Route } from '../management/route.ts';
import { refusalsOf, registerRefusals } from './refusals.ts';
import { loginSchema } from './sessions.ts';

const baseParams = {
  orgId: z.string().openapi({ description: 'Id of the organization, or its human-readable id.' }),
  envId: z.string().openapi({ description: 'Id of the environment, or its human-readable id.' }),
};

const repeatHeaders = z.object({
  'Idempotency-Key': z.string().min(1).max(255).optional().openapi({
    description:
      'Your name for this change, e.g. a UUID: repeated within 24 hours it gets the same answer, and nothing is done again.',
  }),
});

/** The OpenAPI 3.1 document of the management API, made of the schemas that check its requests. */
export function managementOpenApi(): object {
  const app = new OpenAPIHono();
  for (const one of routes) for (const base of basePaths[one.scope]) register(app, one, base);
  for (const session of [...sessionPaths, ...federationPaths, ...passwordPaths])
    app.openAPIRegistry.registerPath(session);
  registerSecurity(app);
  registerRefusals(app);
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Isthmus management API',
      version: '0.1.0',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    security: [{ basic: [] }, { token: [] }, { session: [] }],
  });
}

function register(app: OpenAPIHono, route: Route, base: string): void {
  const { params, query, body, answer } = route.schemas;
  const baseNames = [...base.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as keyof typeof baseParams);
  const isFirstBase = basePaths[route.scope][0] === base;
  app.openAPIRegistry.registerPath({
    method: route.method,
    path: base + route.path,
    tags: [route.tag],
    summary: route.summary,
    // The same operation under a second base needs another id.
    operationId: isFirstBase ? route.operationId : `${route.operationId}InOrganization`,
    request: {
      params: z.object({
        ...Object.fromEntries(baseNames.map((name) => [name, baseParams[name]])),
        ...params.shape,
      }),
      ...(query instanceof z.ZodObject ? { query } : {}),
      ...(isRepeatable(route.method) && { headers: repeatHeaders }),
      ...(body === undefined
        ? {}
        : { body: { required: !route.isBodyOptional, content: contentOf(route, body) } }),
    },
    responses: {
      [route.status]: {
        description: route.status === 204 ? 'Done.' : 'The result.',
        ...(route.contentTypes !== undefined && { content: filesOf(route.contentTypes) }),
        ...(answer !== undefined &&
          route.status !== 204 && { content: { 'application/json': { schema: answer } } }),
      },
      ...(route.isVersioned &&
        route.method === 'get' && {
          304: { description: 'The answer is the one whose ETag If-None-Match names.' },
        }),
      ...refusalsOf({
        method: route.method,
        hasBody: body !== undefined,
        needsSignIn: true,
        isVersioned: route.isVersioned,
      }),
    },
  });
}

function filesOf(types: readonly string[]) {
  const schema = z.string().openapi({ format: 'binary' });
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function contentOf({ method, upload }: Route, schema: z.ZodType) {
  if (upload !== undefined) return { [upload.type]: { schema } };
  if (method !== 'patch') return { 'application/json': { schema } };
  return {
    'application/json': { schema },
    'application/merge-patch+json': { schema },
    'application/json-patch+json': { schema: operationsSchema },
  };
}

const organizationParams = z.object({ orgId: baseParams.orgId });
const meSchema = z
  .object({
    id: z.string(),
    organizationId: z.string(),
    username: z.string(),
    displayName: z.string(),
    mustEnrol: z.boolean().optional(),
    firstname: z.string().optional(),
    lastname: z.string().optional(),
    email: z.string().optional(),
    source: z.string(),
    sourceId: z.string(),
    primaryOwner: z.boolean(),
    firstLogin: z.boolean(),
    created_at: z.int(),
    updated_at: z.int(),
    last_connection_at: z.int().optional(),
    groupsByEnvironment: z.record(z.string(), z.array(z.string())),
    roles: z.array(
      z.object({
        scope: z.string(),
        name: z.string(),
        reference: z.string(),
        permissions: z.record(z.string(), z.array(z.string())),
      }),
    ),
  })
  .openapi('User');

const socialIdentitySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().optional(),
    type: z.string(),
    clientId: z.string(),
    emailRequired: z.boolean(),
    syncMappings: z.boolean(),
    authorizationEndpoint: z.string(),
    userLogoutEndpoint: z.string().optional(),
    scopes: z.array(z.string()),
    scopeDelimiter: z.string(),
    requiredUrlParams: z.array(z.string()),
    optionalUrlParams: z.array(z.string()),
    color: z.string().optional(),
  })
  .openapi('SocialIdentity');

const consoleSchema = z
  .object({
    authentication: z.object({
      localLogin: z.object({ enabled: z.boolean() }),
      passwordReset: z.object({ enabled: z.boolean() }),
    }),
    management: z.object({ userCreation: z.object({ enabled: z.boolean() }) }),
  })
  .openapi('ConsoleConfig');

type PathConfig = Parameters<OpenAPIHono['openAPIRegistry']['registerPath']>[0];
const sessionPaths: readonly PathConfig[] = [
  {
    method: 'post',
    path: '/management/organizations/{orgId}/user/login',
    tags: ['Users'],
    summary:
      'Opens a session by basic authentication, and a code where there is a second factor: cookie, token, and the value for X-Xsrf-Token. With `mustEnrol` it leads to a second factor alone.',
    operationId: 'login',
    security: [{ basic: [] }],
    request: {
      params: organizationParams,
      body: { required: false, content: { 'application/json': { schema: loginSchema.openapi('Login') } } },
    },
    responses: {
      200: {
        description: 'The session.',
        content: {
          'application/json': {
            schema: z.object({
              token_type: z.literal('BEARER'),
              token: z.string(),
              mustEnrol: z.boolean().optional(),
            }),
          },
        },
      },
      ...refusalsOf({ method: 'post', hasBody: true, needsSignIn: true, isVersioned: false }),
    },
  },
  {
    method: 'post',
    path: '/management/organizations/{orgId}/user/logout',
    tags: ['Users'],
    summary: 'Ends the session.',
    operationId: 'logout',
    request: { params: organizationParams },
    responses: {
      200: { description: 'Done.' },
      ...refusalsOf({ method: 'post', hasBody: false, needsSignIn: true, isVersioned: false }),
    },
  },
  {
    method: 'get',
    path: '/management/organizations/{orgId}/user',
    tags: ['Users'],
    summary: 'Says who you are.',
    operationId: 'getCurrentUser',
    request: { params: organizationParams },
    responses: {
      200: { description: 'You.', content: { 'application/json': { schema: meSchema } } },
      ...refusalsOf({ method: 'get', hasBody: false, needsSignIn: true, isVersioned: false }),
    },
  },
];

/** For who has not signed in. */
const federationPaths: readonly PathConfig[] = [
  {
    method: 'get',
    path: '/management/organizations/{orgId}/console',
    tags: ['Users'],
    summary:
      'Says what a console has to know before sign-in: whether passwords open anything, whether who has lost his is sent a link, and whether people register themselves.',
    operationId: 'getConsole',
    security: [],
    request: { params: organizationParams },
    responses: {
      200: {
        description: 'The ways in.',
        content: { 'application/json': { schema: consoleSchema } },
      },
      ...refusalsOf({ method: 'get', hasBody: false, needsSignIn: false, isVersioned: false }),
    },
  },
  {
    method: 'get',
    path: '/management/organizations/{orgId}/social-identities',
    tags: ['Users'],
    summary:
      'Lists the identity providers by which people come in; `authorizationEndpoint` is where a browser begins.',
    operationId: 'listSocialIdentities',
    security: [],
    request: { params: organizationParams },
    responses: {
      200: {
        description: 'The providers.',
        content: { 'application/json': { schema: z.array(socialIdentitySchema) } },
      },
      ...refusalsOf({ method: 'get', hasBody: false, needsSignIn: false, isVersioned: false }),
    },
  },
];

/** For who has no password yet, or no more. */
const passwordPaths: readonly PathConfig[] = [
  {
    path: '_reset_password',
    operationId: 'askForPasswordReset',
    summary:
      'Sends a link by which another password is chosen to whoever has that user name or mail address. The answer is the same whether anybody has.',
    schema: resetWishSchema,
  },
  {
    path: '_change_password',
    operationId: 'choosePassword',
    summary:
      'Gives the user of a link that was sent the password that he chooses; it counts once, for an hour.',
    schema: choiceSchema,
  },
  {
    path: 'registration',
    operationId: 'register',
    summary:
      'Sends a link to whoever asks for an account, where the organization lets people register; who has one is written so. The answer is the same whether anybody has that address.',
    schema: registrationSchema,
    answer: registeredSchema,
  },
  {
    path: 'registration/finalize',
    operationId: 'finishRegistration',
    summary:
      'Makes the user of a link that was sent, with the password that he chooses. PENDING waits until somebody accepts or rejects it.',
    schema: registrationEndSchema,
    answer: registeredSchema,
  },
].map(({ path, operationId, summary, schema, answer }) => ({
  method: 'post',
  path: `/management/organizations/{orgId}/users/${path}`,
  tags: ['Users'],
  summary,
  operationId,
  security: [],
  request: {
    params: organizationParams,
    body: { required: true, content: { 'application/json': { schema } } },
  },
  responses: {
    ...(answer === undefined
      ? { 204: { description: 'Done.' } }
      : { 200: { description: 'The result.', content: { 'application/json': { schema: answer } } } }),
    ...refusalsOf({ method: 'post', hasBody: true, needsSignIn: false, isVersioned: false }),
  },
}));

function registerSecurity(app: OpenAPIHono): void {
  const { openAPIRegistry: registry } = app;
  registry.registerComponent('securitySchemes', 'basic', { type: 'http', scheme: 'basic' });
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  registry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'Auth-Graviteeio-APIM',
  });
}
