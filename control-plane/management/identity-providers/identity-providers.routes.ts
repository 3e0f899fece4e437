import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import { activationSchema, activationsWishSchema, listActivations, setActivations } from './activations.ts';
import {
  createProvider,
  getProvider,
  listProviders,
  removeProvider,
  updateProvider,
} from './identity-providers.ts';
import {
  listedProviderSchema,
  newProviderSchema,
  providerSchema,
  type ProviderView,
  updateProviderSchema,
} from './provider-shape.ts';

const tag = 'Identity providers';
const organization = resource({ tag, scope: 'v1-organization' });
const environment = resource({ tag, scope: 'v1-environment' });
const path = '/configuration/identities';
const onePath = '/configuration/identities/{identityProviderId}';
const permission = 'organization-identity-provider';
const version = ({ updated_at: updatedAt }: ProviderView): number => updatedAt;

/** The routes of identity providers. */
export const identityProviderRoutes = [
  organization.get(path, {
    operationId: 'listIdentityProviders',
    permission,
    summary: 'Lists the identity providers of the organization.',
    answer: z.array(listedProviderSchema),
    run: ({ desk, at }) => listProviders(desk, at.organization),
  }),
  organization.post(path, {
    operationId: 'createIdentityProvider',
    permission,
    summary: 'Creates an identity provider; nobody comes in by it before it is activated.',
    body: newProviderSchema,
    answer: providerSchema,
    version,
    run: ({ desk, actor, at, body }) =>
      createProvider(desk, actor, { organization: at.organization, wish: body }),
  }),
  organization.get(onePath, {
    operationId: 'getIdentityProvider',
    permission,
    summary: 'Gets an identity provider; its client secret is masked.',
    answer: providerSchema,
    version,
    run: ({ desk, at, params: { identityProviderId: id } }) =>
      getProvider(desk, { organization: at.organization, id }),
  }),
  organization.put(onePath, {
    operationId: 'updateIdentityProvider',
    permission,
    summary: 'Replaces an identity provider.',
    body: updateProviderSchema,
    answer: providerSchema,
    version,
    run: ({ desk, actor, at, params: { identityProviderId: id }, body, ifMatch }) =>
      updateProvider(desk, actor, { organization: at.organization, id, wish: body, ifMatch }),
  }),
  organization.delete(onePath, {
    operationId: 'deleteIdentityProvider',
    permission,
    summary: 'Deletes an identity provider with what its mapping gave; its users stay.',
    run: ({ desk, actor, at, params: { identityProviderId: id }, ifMatch }) =>
      removeProvider(desk, actor, { organization: at.organization, id, ifMatch }),
  }),
  organization.get('/identities', {
    operationId: 'listOrganizationIdentities',
    permission: 'organization-identity-provider-activation',
    summary: 'Lists the identity providers by which people come in.',
    answer: z.array(activationSchema),
    run: ({ desk, at }) => listActivations(desk, at),
  }),
  organization.put('/identities', {
    operationId: 'setOrganizationIdentities',
    permission: 'organization-identity-provider-activation',
    summary: 'Lets people come in by these identity providers, and by no other.',
    body: activationsWishSchema,
    status: 204,
    run: ({ desk, actor, at, body }) => setActivations(desk, actor, { at, wish: body }),
  }),
  environment.get('/identities', {
    operationId: 'listEnvironmentIdentities',
    permission: 'environment-identity-provider-activation',
    summary: 'Lists the identity providers whose mappings give something in the environment.',
    answer: z.array(activationSchema),
    run: ({ desk, at }) => listActivations(desk, at),
  }),
  environment.put('/identities', {
    operationId: 'setEnvironmentIdentities',
    permission: 'environment-identity-provider-activation',
    summary: 'Lets these identity providers give roles and groups in the environment, and no other.',
    body: activationsWishSchema,
    status: 204,
    run: ({ desk, actor, at, body }) => setActivations(desk, actor, { at, wish: body }),
  }),
];
