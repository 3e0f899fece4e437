import { z } from '@hono/zod-openapi';
import { v1Page, v1PageQuery, v1PageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  addCertificate,
  certificateFacts,
  certificateFactsSchema,
  certificateVersionOf,
  certificateViewSchema,
  createCertificateSchema,
  getCertificate,
  listCertificates,
  removeCertificate,
  updateCertificate,
  updateCertificateSchema,
} from './application-certificates.ts';
import { foundApplication } from './applications.ts';
import { certificateSchema } from './certificates.ts';

const define = resource({ tag: 'Application Client Certificates', scope: 'v1-environment' });
const permission = 'application-definition';
const path = '/applications/{applicationId}/certificates';
const onePath = '/applications/{applicationId}/certificates/{certificateId}';
const answer = certificateViewSchema;

/** The v1 routes of an application's certificates: the same that its settings have. */
export const applicationCertificateRoutes = [
  define.get(path, {
    operationId: 'listApplicationCertificates',
    permission,
    summary: 'Lists the certificates by which callers of an application are known.',
    query: z.strictObject(v1PageQuery),
    answer: v1PageSchema('ClientCertificatesPage', certificateViewSchema),
    run: async ({ desk, at, params, query }) =>
      v1Page(
        await listCertificates(desk, {
          at,
          id: params.applicationId,
          page: { page: query.page, perPage: query.size },
        }),
        query,
      ),
  }),
  define.post(path, {
    operationId: 'createApplicationCertificate',
    permission,
    summary: 'Adds a certificate to an application; its subscriptions to MTLS plans are found by it at once.',
    body: createCertificateSchema,
    answer,
    run: ({ desk, actor, at, params, body }) =>
      addCertificate(desk, actor, { at, id: params.applicationId, wish: body }),
  }),
  define.post(`${path}/_validate`, {
    operationId: 'validateApplicationCertificate',
    permission,
    summary: 'Says whose a certificate is, who issued it and when it ends, and keeps nothing.',
    body: z.strictObject({ certificate: certificateSchema }).openapi('ValidateClientCertificate'),
    status: 200,
    answer: certificateFactsSchema,
    async run({ desk, at, params, body }) {
      await foundApplication(desk.storage.db, { at, id: params.applicationId });
      return certificateFacts(body.certificate);
    },
  }),
  define.get(onePath, {
    operationId: 'getApplicationCertificate',
    permission,
    summary: 'Gets a certificate of an application.',
    answer,
    version: certificateVersionOf,
    run: ({ desk, at, params: { applicationId, certificateId } }) =>
      getCertificate(desk, { at, id: applicationId, certificateId }),
  }),
  define.put(onePath, {
    operationId: 'updateApplicationCertificate',
    permission,
    summary: 'Replaces the name of a certificate, and from when until when it counts.',
    body: updateCertificateSchema,
    answer,
    version: certificateVersionOf,
    run: ({ desk, actor, at, params: { applicationId, certificateId }, body, ifMatch }) =>
      updateCertificate(desk, actor, { at, id: applicationId, certificateId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteApplicationCertificate',
    permission,
    summary: 'Takes a certificate from an application; the last one stays while an MTLS plan needs it.',
    run: ({ desk, actor, at, params: { applicationId, certificateId }, ifMatch }) =>
      removeCertificate(desk, actor, { at, id: applicationId, certificateId, ifMatch }),
  }),
];
