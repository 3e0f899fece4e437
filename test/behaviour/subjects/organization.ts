import { flow, keyed, keyless, mark, plans, set, show, step } from '../pieces.ts';
import type { GatewayOf, Row, Subject } from '../row.ts';

const order = show('X-Order', "#context.attributes['order'] ?: 'none'");
/** Its flows mark both ways; one below `/slow` of any API takes longer than a request may. */
const organized: GatewayOf = {
  config: { request: { answerMsMax: 400 } },
  tables: {
    organizationFlows: [
      flow('/', {
        request: [mark('o'), show('X-Plan', "#context.attributes['plan'] ?: 'none'")],
        response: [mark('O'), set('X-Organization', 'o'), order],
      }),
      flow(
        '/',
        { response: [step('latency', { time: 2_000 }), set('X-Late', 'o')] },
        {
          selectors: [
            { type: 'http', path: '/', pathOperator: 'STARTS_WITH', methods: [] },
            { type: 'condition', condition: "{#request.headers['x-slow-way-out'] != null}" },
          ],
        },
      ),
      flow('/', { request: [set('X-Off', '1')] }, { enabled: false }),
    ],
  },
};
const late = { backend: { afterMs: 3_000 } };
const byOrganization = { headers: { 'x-organization': 'o' } };

const rows: readonly Row[] = [
  {
    says: 'organization flows are around all others, on both ways',
    api: {
      ...plans(keyless({ flows: [flow('/', { request: [mark('p')], response: [mark('P')] })] })),
      flows: [flow('/', { request: [mark('a'), order], response: [mark('A')] })],
    },
    exchanges: [{}, { headers: { 'x-order': 'opaPAO' }, asked: { headers: { 'x-order': 'opa' } } }],
  },
  {
    says: 'they run before a plan is known',
    exchanges: [{}, { asked: { headers: { 'x-plan': 'none' } } }],
  },
  {
    says: 'their answer flows run for who is not let in',
    api: plans(keyed()),
    exchanges: [{}, { status: 401, ...byOrganization, asked: false }],
  },
  {
    says: 'their answer flows run for an error of a step',
    api: { flows: [flow('/', { request: [step('policy-interrupt', { errorKey: 'K', message: 'm' })] })] },
    exchanges: [{}, { status: 500, ...byOrganization }],
  },
  {
    says: 'their answer flows run for a backend that fails',
    backend: { isCut: true },
    exchanges: [
      { method: 'POST', body: 'x' },
      { status: 502, ...byOrganization },
    ],
  },
  {
    says: 'a flow of theirs that is off does not run',
    exchanges: [{}, { asked: { headers: { 'x-off': undefined } } }],
  },
  {
    says: 'after the 504 of a request that took too long their answer flows still run',
    exchanges: [late, { status: 504, ...byOrganization }],
  },
  {
    says: 'the template of a request that took too long is that of REQUEST_TIMEOUT',
    api: { responseTemplates: { REQUEST_TIMEOUT: { '*/*': { status: 504, body: '{#error.key}' } } } },
    exchanges: [late, { status: 504, body: 'REQUEST_TIMEOUT', ...byOrganization }],
  },
  {
    says: 'if such a flow is itself too slow the 504 comes without it',
    exchanges: [
      { ...late, headers: { 'x-slow-way-out': '1' } },
      { status: 504, headers: { 'x-late': undefined } },
    ],
  },
  {
    says: 'a step that holds a request up too long is a 504 as well',
    api: { flows: [flow('/', { request: [step('latency', { time: 3_000 })] })] },
    exchanges: [{}, { status: 504, asked: false, ...byOrganization }],
  },
  {
    says: 'flows of the API do not run for the answer of a request that took too long',
    api: { flows: [flow('/', { response: [set('X-Api', '1')] })] },
    exchanges: [late, { status: 504, headers: { 'x-api': undefined } }],
  },
];

/** What flows of an organization do, and what time does. */
export const aboutOrganization: Subject = { name: 'organization', rows, gateway: organized };
