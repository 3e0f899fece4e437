import { createIssuer } from '../../kit/gateway/issuer.ts';
import { flow, keyed, keyless, plans, show } from '../pieces.ts';
import type { Row, Subject } from '../row.ts';

type Json = Readonly<Record<string, unknown>>;
const issuer = createIssuer();
const stranger = createIssuer();
const jwt = (id: string, configuration: Json = {}, more: Json = {}): Json => ({
  id,
  security: {
    type: 'JWT',
    configuration: {
      signature: 'RSA_RS256',
      publicKeyResolver: 'GIVEN_KEY',
      resolverParameter: issuer.publicKey,
      ...configuration,
    },
  },
  ...more,
});
const token = (claims: Json = { client_id: 'client' }, by = issuer): string => by.token(claims);
const bearer = (text: string): { readonly headers: Json & Record<string, string> } => ({
  headers: { authorization: `Bearer ${text}`.trim() },
});
const client = (plan: string, clientId = 'client', more: Json = {}): Json => ({ plan, clientId, ...more });
const whichPlan = {
  flows: [
    flow('/', {
      request: [
        show('X-Plan', "#context.attributes['plan']"),
        show('X-Application', "#context.attributes['application']"),
        show('X-Subject', "#context.attributes['jwt.claims']?.sub ?: 'none'"),
      ],
    }),
  ],
};
const onPlan = (plan: string) => ({ status: 200, asked: { headers: { 'x-plan': plan } } });
const refused = { status: 401, body: 'Unauthorized', asked: false } as const;

const rows: readonly Row[] = [
  {
    says: 'a token of a client that subscribed lets in',
    api: { ...plans(jwt('tokens')), ...whichPlan },
    subscriptions: [client('tokens')],
    exchanges: [bearer(token()), onPlan('tokens')],
  },
  {
    says: 'a token of a client that did not is 401',
    api: plans(jwt('tokens')),
    subscriptions: [client('tokens')],
    exchanges: [bearer(token({ client_id: 'another' })), refused],
  },
  {
    says: 'no token is 401',
    api: plans(jwt('tokens')),
    exchanges: [{}, refused],
  },
  {
    says: 'Bearer alone is 401',
    api: plans(jwt('tokens')),
    exchanges: [bearer(''), refused],
  },
  {
    says: 'a token that somebody else signed is 401',
    api: plans(jwt('tokens')),
    subscriptions: [client('tokens')],
    exchanges: [bearer(token({ client_id: 'client' }, stranger)), refused],
  },
  {
    says: 'a token that has ended is 401',
    api: plans(jwt('tokens')),
    subscriptions: [client('tokens')],
    exchanges: [bearer(token({ client_id: 'client', exp: 1_000_000_000 })), refused],
  },
  {
    says: 'what is no token is 401',
    api: plans(jwt('tokens')),
    subscriptions: [client('tokens')],
    exchanges: [bearer('a.b.c'), refused],
  },
  {
    says: 'the client is named by azp before aud and client_id',
    api: plans(jwt('tokens')),
    subscriptions: [client('tokens')],
    exchanges: [bearer(token({ azp: 'client', aud: 'x', client_id: 'y' })), { status: 200 }],
  },
  {
    says: 'by aud where there is no azp',
    api: plans(jwt('tokens')),
    subscriptions: [client('tokens')],
    exchanges: [bearer(token({ aud: 'client', client_id: 'y' })), { status: 200 }],
  },
  {
    says: 'clientIdClaim says which claim names it',
    api: plans(jwt('tokens', { clientIdClaim: 'app' })),
    subscriptions: [client('tokens')],
    exchanges: [
      [bearer(token({ app: 'client' })), { status: 200 }],
      [bearer(token({ client_id: 'client' })), refused],
    ],
  },
  {
    says: 'clientIdClaim may lead into a claim',
    api: plans(jwt('tokens', { clientIdClaim: 'act.repository' })),
    subscriptions: [client('tokens')],
    exchanges: [bearer(token({ act: { repository: 'client' } })), { status: 200 }],
  },
  {
    says: 'of two plans of tokens the one that the client subscribed to serves',
    api: { ...plans(jwt('first'), jwt('second')), ...whichPlan },
    subscriptions: [client('second')],
    exchanges: [bearer(token()), onPlan('second')],
  },
  {
    says: 'two plans may name the client by different claims',
    api: { ...plans(jwt('first', { clientIdClaim: 'act.repository' }), jwt('second')), ...whichPlan },
    subscriptions: [client('first', 'repo'), client('second')],
    exchanges: [
      [bearer(token({ act: { repository: 'repo' } })), onPlan('first')],
      [bearer(token()), onPlan('second')],
    ],
  },
  {
    says: 'a token blocks keyless beside it when it is unknown',
    api: plans(jwt('tokens'), keyless()),
    exchanges: [bearer(token()), refused],
  },
  {
    says: 'Bearer alone blocks keyless',
    api: plans(jwt('tokens'), keyless()),
    exchanges: [bearer(''), refused],
  },
  {
    says: 'an empty Authorization does not count as shown',
    api: { ...plans(jwt('tokens'), keyless()), ...whichPlan },
    exchanges: [{ headers: { authorization: '' } }, onPlan('open')],
  },
  {
    says: 'nor does Basic',
    api: { ...plans(jwt('tokens'), keyless()), ...whichPlan },
    exchanges: [{ headers: { authorization: 'Basic YTpi' } }, onPlan('open')],
  },
  {
    says: 'without anything shown keyless serves',
    api: { ...plans(jwt('tokens'), keyless()), ...whichPlan },
    exchanges: [{}, onPlan('open')],
  },
  {
    says: 'a key and a token each find their plan',
    api: { ...plans(jwt('tokens'), keyed()), ...whichPlan },
    subscriptions: [client('tokens'), { plan: 'keyed', apiKeys: ['key-beside-token'] }],
    exchanges: [
      [bearer(token()), onPlan('tokens')],
      [{ headers: { 'x-gravitee-api-key': 'key-beside-token' } }, onPlan('keyed')],
    ],
  },
  {
    says: 'a false selection rule lets keyless serve although a token was sent',
    api: { ...plans(jwt('tokens', {}, { selectionRule: 'false' }), keyless()), ...whichPlan },
    subscriptions: [client('tokens')],
    exchanges: [bearer(token()), onPlan('open')],
  },
  {
    says: 'a selection rule reads claims; an audience that is a text is a list of one',
    api: {
      ...plans(
        jwt('tokens', {}, { selectionRule: "#context.attributes['jwt'].claims['aud'][0] == 'shop'" }),
        keyless(),
      ),
      ...whichPlan,
    },
    subscriptions: [client('tokens')],
    exchanges: [
      [bearer(token({ azp: 'client', aud: 'shop' })), onPlan('tokens')],
      [bearer(token({ azp: 'client', aud: 'other' })), onPlan('open')],
    ],
  },
  {
    says: 'the token reaches the backend',
    api: plans(jwt('tokens')),
    subscriptions: [client('tokens')],
    exchanges: [bearer(token()), { asked: { headers: { authorization: /^Bearer ey/ } } }],
  },
  {
    says: 'propagateAuthHeader: false keeps it here',
    api: plans(jwt('tokens', { propagateAuthHeader: false })),
    subscriptions: [client('tokens')],
    exchanges: [bearer(token()), { status: 200, asked: { headers: { authorization: undefined } } }],
  },
  {
    says: 'extractClaims gives the claims to expressions',
    api: { ...plans(jwt('tokens', { extractClaims: true })), ...whichPlan },
    subscriptions: [client('tokens')],
    exchanges: [
      bearer(token({ client_id: 'client', sub: 'ann' })),
      { asked: { headers: { 'x-subject': 'ann' } } },
    ],
  },
  {
    says: 'without it there are none',
    api: { ...plans(jwt('tokens')), ...whichPlan },
    subscriptions: [client('tokens')],
    exchanges: [
      bearer(token({ client_id: 'client', sub: 'ann' })),
      { asked: { headers: { 'x-subject': 'none' } } },
    ],
  },
  {
    says: 'a subscription that is paused is 401',
    api: plans(jwt('tokens')),
    subscriptions: [client('tokens', 'client', { status: 'PAUSED' })],
    exchanges: [bearer(token()), refused],
  },
  {
    says: 'a token without the client is 401',
    api: plans(jwt('tokens')),
    subscriptions: [client('tokens')],
    exchanges: [bearer(token({ sub: 'x' })), refused],
  },
  {
    says: 'the application of the subscription is known',
    api: { ...plans(jwt('tokens')), ...whichPlan },
    subscriptions: [client('tokens', 'client', { application: 'mobile' })],
    exchanges: [bearer(token()), { asked: { headers: { 'x-application': 'mobile' } } }],
  },
];

/** What APIs do, about tokens. */
export const aboutTokens: Subject = { name: 'tokens', rows };
