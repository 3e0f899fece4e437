import { createAuthority, issuePair } from '../../kit/servers/certificates.ts';
import { tempDir } from '../../kit/temp-dir.ts';
import { flow, keyed, keyless, plans, show } from '../pieces.ts';
import type { GatewayOf, Json, Row, Send, Subject } from '../row.ts';

const authority = createAuthority(tempDir({ after: () => undefined }, 'isthmus-certificates'));
const [orders, spare, mobile, stranger, keysOnly] = [
  'orders',
  'spare',
  'mobile',
  'stranger',
  'keys-only',
].map((name) => issuePair(authority, name));
if (
  orders === undefined ||
  spare === undefined ||
  mobile === undefined ||
  stranger === undefined ||
  keysOnly === undefined
)
  throw new Error('five were issued');

const asking: GatewayOf = { clientAuth: 'request' };
const unasking: GatewayOf = { clientAuth: 'none' };
const behindTerminator: GatewayOf = {
  config: { listen: { trustedProxies: ['127.0.0.1'], tls: { clientCertificateHeader: 'X-Client-Cert' } } },
};
const mtls = (more: Json = {}): Json => ({ id: 'certified', security: { type: 'MTLS' }, ...more });
const shown = (pair: typeof orders, more: Json = {}): Json => ({
  plan: 'certified',
  application: 'orders',
  clientCertificate: pair.cert,
  ...more,
});
const which = {
  flows: [
    flow('/', {
      request: [
        show('X-Plan', "#context.attributes['plan']"),
        show('X-Application', "#context.attributes['application']"),
        show('X-Name', "#request.ssl.client.cn ?: 'none'"),
      ],
    }),
  ],
};
const refused = { status: 401, body: 'Unauthorized', asked: false } as const;
const onPlan = (plan: string) => ({ status: 200, asked: { headers: { 'x-plan': plan } } });
const noHandshake = { status: 0, asked: false } as const;
const header = (value: string): Send => ({ headers: { 'x-client-cert': value } });
const formEncoded = (pem: string): string => new URLSearchParams([['', pem]]).toString().slice(1);

const live: readonly Row[] = [
  {
    says: 'a certificate of a subscription lets in',
    api: { ...plans(mtls()), ...which },
    subscriptions: [shown(orders)],
    exchanges: [
      { certificate: orders },
      { status: 200, asked: { headers: { 'x-plan': 'certified', 'x-application': 'orders' } } },
    ],
  },
  {
    says: 'expressions know the name in the certificate',
    api: { ...plans(mtls()), ...which },
    subscriptions: [shown(orders)],
    exchanges: [{ certificate: orders }, { asked: { headers: { 'x-name': 'orders' } } }],
  },
  {
    says: 'a subscription may hold several certificates',
    api: plans(mtls()),
    subscriptions: [shown(orders, { clientCertificate: `${orders.cert}\n${spare.cert}` })],
    exchanges: [
      [{ certificate: orders }, { status: 200 }],
      [{ certificate: spare }, { status: 200 }],
    ],
  },
  {
    says: 'a certificate that no subscription holds fails the handshake, whatever is asked for',
    api: plans(keyless()),
    exchanges: [{ certificate: stranger }, noHandshake],
  },
  {
    says: 'a certificate of a subscription to another API is no stranger, and is 401 here',
    api: plans(mtls()),
    subscriptions: [shown(mobile, { application: 'mobile' })],
    exchanges: [{ certificate: orders }, refused],
  },
  {
    says: 'a certificate whose only subscription is closed fails the handshake',
    api: plans(mtls()),
    subscriptions: [shown(keysOnly, { application: 'closed', status: 'CLOSED' })],
    exchanges: [{ certificate: keysOnly }, noHandshake],
  },
  {
    says: 'a paused subscription does not let in',
    api: plans(mtls()),
    subscriptions: [shown(orders, { status: 'PAUSED' })],
    exchanges: [{ certificate: orders }, refused],
  },
  {
    says: 'without a certificate a plan of certificates alone is 401',
    api: plans(mtls()),
    subscriptions: [shown(orders)],
    exchanges: [{}, refused],
  },
  {
    says: 'without a certificate keyless serves beside it',
    api: { ...plans(mtls(), keyless()), ...which },
    subscriptions: [shown(orders)],
    exchanges: [
      [{}, onPlan('open')],
      [{ certificate: orders }, onPlan('certified')],
    ],
  },
  {
    says: 'without a certificate a key serves beside it',
    api: { ...plans(mtls(), keyed()), ...which },
    subscriptions: [shown(orders), { plan: 'keyed', apiKeys: ['key-beside-certificate'] }],
    exchanges: [{ headers: { 'x-gravitee-api-key': 'key-beside-certificate' } }, onPlan('keyed')],
  },
  {
    says: 'without a certificate the order of plans goes on as ever: an unknown key blocks keyless',
    api: plans(mtls(), keyed(), keyless()),
    subscriptions: [shown(orders)],
    exchanges: [{ headers: { 'x-gravitee-api-key': 'unknown' } }, refused],
  },
  {
    says: 'a false selection rule lets keyless serve although a certificate was shown',
    api: { ...plans(mtls({ selectionRule: 'false' }), keyless()), ...which },
    subscriptions: [shown(orders)],
    exchanges: [{ certificate: orders }, onPlan('open')],
  },
  {
    says: 'the template of a missing certificate is that of CLIENT_CERTIFICATE_MISSING',
    api: {
      ...plans(mtls()),
      responseTemplates: { CLIENT_CERTIFICATE_MISSING: { '*/*': { status: 403, body: '{#error.key}' } } },
    },
    exchanges: [{}, { status: 403, body: 'CLIENT_CERTIFICATE_MISSING' }],
  },
  {
    says: '#request.scheme over TLS',
    api: { flows: [flow('/', { request: [show('X-Scheme', '#request.scheme')] })] },
    exchanges: [{}, { asked: { headers: { 'x-scheme': 'https', 'x-forwarded-proto': 'https' } } }],
  },
];

const unasked: readonly Row[] = [
  {
    says: 'client authentication none is 401, whatever is shown',
    api: plans(mtls()),
    subscriptions: [shown(orders)],
    exchanges: [
      [{}, refused],
      [{ certificate: orders }, refused],
    ],
  },
  {
    says: 'client authentication none takes strangers at the door, since it does not ask',
    api: plans(keyless()),
    exchanges: [{ certificate: stranger }, { status: 200 }],
  },
  {
    says: 'client authentication none lets the other plans serve',
    api: { ...plans(mtls(), keyless()), ...which },
    subscriptions: [shown(orders)],
    exchanges: [{ certificate: orders }, onPlan('open')],
  },
];

const inHeader: readonly Row[] = [
  {
    says: 'a PEM in a header is form-encoded: a plus is a blank',
    api: plans(mtls()),
    subscriptions: [shown(orders)],
    exchanges: [header(formEncoded(orders.cert)), { status: 200 }],
  },
  {
    says: 'a PEM that is percent-encoded is read as well',
    api: plans(mtls()),
    subscriptions: [shown(orders)],
    exchanges: [header(encodeURIComponent(orders.cert)), { status: 200 }],
  },
  {
    says: 'a PEM whose line ends became blanks is read as well',
    api: plans(mtls()),
    subscriptions: [shown(orders)],
    exchanges: [header(orders.cert.trim().replaceAll('\n', ' ')), { status: 200 }],
  },
  {
    says: 'a PEM of a stranger in a header is 401',
    api: plans(mtls()),
    subscriptions: [shown(orders)],
    exchanges: [header(formEncoded(stranger.cert)), refused],
  },
  {
    says: 'a header that holds no certificate is 401',
    api: plans(mtls()),
    subscriptions: [shown(orders)],
    exchanges: [header('%zz'), refused],
  },
];

/** What certificates of callers do, where the gateway asks for them. */
export const aboutCertificates: Subject = { name: 'certificates', rows: live, gateway: asking };
/** The same where it does not ask. */
export const aboutUnaskedCertificates: Subject = {
  name: 'certificates that nobody asked for',
  rows: unasked,
  gateway: unasking,
};
/** The same where a terminator in front passes them on. */
export const aboutCertificatesInHeaders: Subject = {
  name: 'certificates in a header',
  rows: inHeader,
  gateway: behindTerminator,
};
