import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import { currentDeployment, currentSchema, deployApi, deploymentSchema } from './deployments.ts';
import { verificationSchema, verifyDeployment } from './verification.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });

/** The routes of deployments. */
export const deploymentRoutes = [
  define.post('/apis/{apiId}/deployments', {
    operationId: 'createApiDeployment',
    permission: 'api-definition',
    action: 'update',
    summary: 'Deploys an API to the gateways.',
    body: z.strictObject({ deploymentLabel: z.string().max(32).optional() }).openapi('ApiDeployment'),
    isBodyOptional: true,
    status: 202,
    answer: deploymentSchema,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      deployApi(desk, actor, { at, id: apiId, label: body.deploymentLabel }),
  }),
  define.post('/apis/{apiId}/deployments/_verify', {
    operationId: 'verifyApiDeployment',
    permission: 'api-definition',
    action: 'read',
    summary: 'Says what a deployment would be refused for, here or by a gateway; changes nothing.',
    status: 200,
    answer: verificationSchema,
    run: ({ desk, actor, at, params: { apiId } }) => verifyDeployment(desk, actor, { at, id: apiId }),
  }),
  define.get('/apis/{apiId}/deployments/current', {
    operationId: 'getCurrentApiDeployment',
    permission: 'api-gateway-definition',
    summary: 'Says what gateways have of an API.',
    answer: currentSchema,
    run: ({ desk, at, params: { apiId } }) => currentDeployment(desk, { at, id: apiId }),
  }),
];
