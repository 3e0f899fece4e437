import { z } from 'zod';

import { definePolicy } from './policy-schema.ts';

const refused = { status: 401, message: 'Unauthorized', parent: 'GATEWAY_PLAN_UNRESOLVABLE' } as const;

/** Of CN=acme; its key is nobody's. */
const exampleCertificate =
  'MIIBOjCB4aADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBGFjbWUwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBGFjbWUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARR7PlnPL4p5OM0SIcr0LbFutcfHQIDKFDc5O3BDUgyzgp+QpdY7krz05cQHoEgFD2LF9CVV2ui5fJMZ+NuY9i1oywwKjAJBgNVHRMEAjAAMB0GA1UdDgQWBBSUFxc6smxQ1N1L1VTYcjhUz70OSDAKBggqhkjOPQQDAgNIADBFAiB2T3F7D4wRRvg8wPKrmLL2/Qv0TxRienb8DVNZSB2NdgIhAOwEq7/EkGjPNU/nTrwKIeYC4vO0h+UNpEFyG/i33rWs';

/** Plan security by a client's certificate. */
export const mtls = definePolicy({
  id: 'mtls',
  title: 'Mutual TLS',
  summary: "Lets in who shows a client certificate of a subscription's application.",
  category: 'security',
  phases: ['security'],
  config: () => z.strictObject({}),
  errors: {
    SSL_SESSION_REQUIRED: refused,
    CLIENT_CERTIFICATE_MISSING: refused,
    CLIENT_CERTIFICATE_INVALID: refused,
  },
  docs: 'Takes the certificate of the handshake (`clientAuth` of the listener is `request` or `required`), or, where `clientCertificateHeader` names one, of the header of a trusted peer. Its SHA-256 must be one of the application of an accepted subscription of the plan, in date, as the certificate itself must be. Handshakes trust what stands in subscriptions, as it is now, and `caFile` of the listener: any other certificate fails them. Without TLS and header the refusal is SSL_SESSION_REQUIRED, without a certificate CLIENT_CERTIFICATE_MISSING; with one that no subscription has, or that has ended, CLIENT_CERTIFICATE_INVALID, unless another plan lets the caller in.',
  example: () => ({
    about:
      'A terminator of TLS in front says whom it shook hands with; the certificate is that of a subscription.',
    security: { type: 'MTLS' },
    settings: {
      listen: { trustedProxies: ['127.0.0.1'], tls: { clientCertificateHeader: 'X-Client-Cert' } },
    },
    folder: {
      subscriptions: [
        {
          id: 'acme-certificate',
          api: 'mtls',
          plan: 'callers',
          application: 'shop',
          clientCertificate: `-----BEGIN CERTIFICATE-----\n${exampleCertificate}\n-----END CERTIFICATE-----\n`,
        },
      ],
    },
    calls: [
      {
        request: { headers: { 'X-Client-Cert': exampleCertificate } },
        answer: { body: 'hello' },
      },
      { request: {}, received: 'nothing', answer: { status: 401 } },
    ],
  }),
});
