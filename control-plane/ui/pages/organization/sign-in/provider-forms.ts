import type { JsonSchema } from '../../../kit/schema-form/shape.ts';
import type { Provider } from './questions.ts';

/** What can be written of an identity provider, in three forms. */

const text = (title: string, description?: string): JsonSchema => ({
  type: 'string',
  maxLength: 1_024,
  title,
  ...(description !== undefined && { description }),
});

const discovery = text('Discovery URL', 'It ends with /.well-known/openid-configuration');
const inPlace = 'In place of what the discovery document says';

/** What tells providers of a type apart. */
function placesOf(type: Provider['type']): Readonly<Record<string, JsonSchema>> {
  switch (type) {
    case 'OIDC':
      return {
        discoveryEndpoint: discovery,
        authorizeEndpoint: text('Authorization URL', inPlace),
        tokenEndpoint: text('Token URL', inPlace),
        userInfoEndpoint: text('User info URL', inPlace),
      };
    case 'GOOGLE':
      return {};
    case 'GRAVITEEIO_AM':
      return {
        serverURL: text('Server URL'),
        domain: text('Security domain'),
        discoveryEndpoint: text('Discovery URL', 'In place of server and domain'),
      };
  }
}

/** Where the provider is, and what is said to it. */
export function connectionForm(type: Provider['type']): JsonSchema {
  return {
    type: 'object',
    required: ['name', 'configuration'],
    properties: {
      enabled: {
        type: 'boolean',
        default: true,
        description: 'Off, nobody comes in by it, and sessions of who came by it end',
      },
      name: { type: 'string', minLength: 2, maxLength: 128 },
      description: text('Description'),
      configuration: {
        type: 'object',
        title: 'Connection',
        required: ['clientId', 'clientSecret', ...(type === 'OIDC' ? ['discoveryEndpoint'] : [])],
        properties: {
          clientId: text('Client id'),
          clientSecret: { ...text('Client secret'), format: 'password' },
          ...placesOf(type),
          scopes: {
            type: 'array',
            items: { type: 'string' },
            maxItems: 50,
            description: 'What is asked for beside openid, e.g. profile, email, groups',
          },
          userLogoutEndpoint: text('Sign-out URL', 'Where who signs out here is led'),
          color: text('Colour', 'Of the dot before its name on the sign-in page, e.g. #1a73e8'),
        },
      },
    },
  };
}

const claim = (title: string, preset: string): JsonSchema => ({
  ...text(title),
  maxLength: 8_192,
  description: `A claim, a path such as address.country, or an expression of #profile; ${preset} unless it is said`,
});

/** Which claims say who somebody is. */
export const personForm: JsonSchema = {
  type: 'object',
  required: ['userProfileMapping'],
  properties: {
    userProfileMapping: {
      type: 'object',
      title: 'Claims',
      properties: {
        id: claim('Id', 'sub'),
        firstname: claim('First name', 'given_name'),
        lastname: claim('Last name', 'family_name'),
        email: claim('Mail address', 'email'),
      },
    },
    emailRequired: {
      type: 'boolean',
      default: false,
      title: 'Let in only who has a confirmed mail address',
    },
  },
};

/** One that a mapping may give. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

const condition: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 8_192,
  description: "Of #profile, e.g. {#jsonPath(#profile, '$.groups').contains('shop')}",
};
const choices = (of: readonly Named[], title: string): JsonSchema => ({
  type: 'array',
  title,
  default: [],
  items: {
    type: 'string',
    enum: of.map(({ id }) => id),
    words: Object.fromEntries(of.map(({ id, name }) => [id, name])),
  },
});

/** What somebody gets by what the provider says of them. */
export function mappingForm({
  groups,
  organizationRoles,
  environmentRoles,
  environments,
}: {
  readonly groups: readonly Named[];
  readonly organizationRoles: readonly Named[];
  readonly environmentRoles: readonly Named[];
  readonly environments: readonly Named[];
}): JsonSchema {
  return {
    type: 'object',
    properties: {
      syncMappings: {
        type: 'boolean',
        default: true,
        title: 'Work out groups and roles at each sign-in',
        description: 'Off, at the first sign-in alone',
      },
      groupMappings: {
        type: 'array',
        maxItems: 200,
        items: {
          type: 'object',
          required: ['condition', 'groups'],
          properties: { condition, groups: choices(groups, 'Gets the groups') },
        },
      },
      roleMappings: {
        type: 'array',
        maxItems: 200,
        items: {
          type: 'object',
          required: ['condition', 'environments'],
          properties: {
            condition,
            organizations: choices(organizationRoles, 'Gets the roles on the organization'),
            environments: {
              type: 'object',
              title: 'Gets the roles on environments',
              properties: Object.fromEntries(
                environments.map(({ id, name }) => [id, choices(environmentRoles, name)]),
              ),
            },
          },
        },
      },
    },
  };
}
