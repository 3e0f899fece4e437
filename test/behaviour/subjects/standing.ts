import { endpoint, flow, group, keyed, keyless, mark, plans, set, show, step } from '../pieces.ts';
import type { Json, Row, Subject } from '../row.ts';
import { innerGateway } from './version-2.ts';

const inner = { tags: ['inner'] };
const order = show('X-Order', "#context.attributes['order'] ?: 'none'");
const seen = (value: string) => ({ status: 200, asked: { headers: { 'x-order': value } } });
const withTenants = (targets: readonly string[], tenants: readonly (readonly string[])[]): Json => ({
  ...inner,
  ...group(tenants.map((each, at) => endpoint(`e${at}`, targets[at] ?? '', { tenants: each }))),
});

const rows: readonly Row[] = [
  { says: 'an API with a tag of the gateway is served', api: inner, exchanges: [{}, { status: 200 }] },
  {
    says: 'an API with other tags is not',
    api: { tags: ['outer'] },
    exchanges: [{}, { status: 404, asked: false }],
  },
  {
    says: 'one tag of several is enough',
    api: { tags: ['outer', 'inner'] },
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'a flow with a tag of the gateway runs, one with another does not, one without does',
    api: {
      ...inner,
      flows: [
        flow('/', { request: [mark('a')] }, { tags: ['inner'] }),
        flow('/', { request: [mark('b')] }, { tags: ['outer'] }),
        flow('/', { request: [mark('c'), order] }),
      ],
    },
    exchanges: [{}, seen('ac')],
  },
  {
    says: 'a flow of a plan with another tag does not run',
    api: {
      ...inner,
      ...plans(keyless({ flows: [flow('/', { request: [mark('p')] }, { tags: ['outer'] })] })),
      flows: [flow('/', { request: [order] })],
    },
    exchanges: [{}, seen('none')],
  },
  {
    says: 'a plan with another tag is not there: nothing that is shown is for it',
    api: { ...inner, ...plans(keyed({}, { tags: ['outer'] }), keyless({ tags: ['inner'] })) },
    exchanges: [{ headers: { 'x-gravitee-api-key': 'unknown' } }, { status: 200 }],
  },
  {
    says: 'an API all of whose plans have other tags lets nobody in',
    api: { ...inner, ...plans(keyless({ tags: ['outer'] })) },
    exchanges: [{}, { status: 401, asked: false }],
  },
  {
    says: 'endpoints of the gateway’s tenant and those of none are called, others are not',
    api: ({ targets }) => withTenants(targets, [['elsewhere'], ['here'], []]),
    exchanges: [
      [{}, { asked: { backend: 1 } }],
      [{}, { asked: { backend: 2 } }],
      [{}, { asked: { backend: 1 } }],
    ],
  },
  {
    says: 'an API whose endpoints are all of another tenant is 503',
    api: ({ targets }) => ({
      ...withTenants(targets, [['elsewhere']]),
      responseTemplates: { NO_ENDPOINT_FOUND: { '*/*': { body: '{#error.key}' } } },
    }),
    exchanges: [{}, { status: 503, body: 'NO_ENDPOINT_FOUND', asked: false }],
  },
  {
    says: '#node knows the tenant and the tags of the gateway',
    api: {
      ...inner,
      flows: [
        flow('/', { request: [set('X-Node', '{#node.tenant} {#node.shardingTags[0]}')] }),
        flow('/', { request: [step('policy-assign-attributes', { attributes: [] })] }),
      ],
    },
    exchanges: [{}, { asked: { headers: { 'x-node': 'here inner' } } }],
  },
];

/** Where an API, its plans, its flows and its endpoints stand. */
export const aboutStanding: Subject = { name: 'standing', rows, gateway: innerGateway };
