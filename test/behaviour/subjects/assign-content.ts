import { flow, step } from '../pieces.ts';
import type { Json, Row, Subject } from '../row.ts';

const content = (body: string, more: Json = {}) => step('policy-assign-content', { body }, more);
const asked = (...steps: readonly Json[]) => ({ flows: [flow('/', { request: steps })] });
const answered = (...steps: readonly Json[]) => ({ flows: [flow('/', { response: steps })] });
const order = '{"id": 12345, "customer": "Ann \\"A\\" Lee", "lines": [{"sku": "a1"}, {"sku": "b2"}]}';

const rows: readonly Row[] = [
  {
    says: 'the body of a request becomes what the template makes',
    api: asked(content('{"was": ${request.content}, "by": "${request.method}"}')),
    exchanges: [
      { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } },
      {
        asked: {
          body: '{"was": {"a":1}, "by": "POST"}',
          headers: { 'content-length': '30', 'content-type': 'application/json' },
        },
      },
    ],
  },
  {
    says: 'a request without a body gets one',
    api: asked(content('made')),
    exchanges: [
      { method: 'GET' },
      { asked: { method: 'GET', body: 'made', headers: { 'content-length': '4' } } },
    ],
  },
  {
    says: 'a body that comes in pieces is sent as one that is made',
    over: { version: '1.1', because: 'there are no such pieces in HTTP/2' },
    api: asked(content('${request.content?length}')),
    exchanges: [
      { method: 'POST', body: 'abcdef', headers: { 'transfer-encoding': 'chunked' } },
      { asked: { body: '6', headers: { 'content-length': '1', 'transfer-encoding': undefined } } },
    ],
  },
  {
    says: 'JSON becomes XML',
    api: asked(
      content(
        '<#assign o = request.content?eval_json>\n<order id="${o.id?c}">\n<#list o.lines as line>\n  <line sku="${line.sku?xml}"/>\n</#list>\n  <for>${o.customer?xml}</for>\n</order>',
      ),
    ),
    exchanges: [
      { method: 'POST', body: order },
      {
        asked: {
          body: '<order id="12345">\n  <line sku="a1"/>\n  <line sku="b2"/>\n  <for>Ann &quot;A&quot; Lee</for>\n</order>',
        },
      },
    ],
  },
  {
    says: '?eval reads JSON, as the examples of the reference product do',
    api: asked(content('<#assign body = request.content?eval >${body.symbol}')),
    exchanges: [{ method: 'POST', body: '{"symbol": "EUR"}' }, { asked: { body: 'EUR' } }],
  },
  {
    says: 'headers, parameters, attributes and dictionaries are there',
    api: asked(
      step('policy-assign-attributes', { attributes: [{ name: 'level', value: 'gold' }] }),
      content(
        "${request.headers['X-Tenant'][0]} ${request.params['page'][0]} ${context.attributes['level']} ${context.dictionaries['countries']['fr']}",
      ),
    ),
    exchanges: [
      { method: 'POST', path: '/x?page=3', headers: { 'x-tenant': 'acme' }, body: 'x' },
      { asked: { body: 'acme 3 gold France' } },
    ],
  },
  {
    says: 'a later template sees what an earlier one made',
    api: asked(content('one'), content('${request.content} two')),
    exchanges: [{ method: 'POST', body: 'zero' }, { asked: { body: 'one two' } }],
  },
  {
    says: 'expressions see what a template made',
    api: asked(
      content('{"a": "b"}'),
      step('transform-headers', { addHeaders: [{ name: 'X-A', value: '{#request.jsonContent.a}' }] }),
    ),
    exchanges: [{ method: 'POST', body: 'x' }, { asked: { headers: { 'x-a': 'b' } } }],
  },
  {
    says: 'expressions of the expression language are text to a template',
    api: asked(content('{#request.method}')),
    exchanges: [{ method: 'POST', body: 'x' }, { asked: { body: '{#request.method}' } }],
  },
  {
    says: 'what is missing ends the request before the backend',
    api: asked(content("${request.headers['X-Nope'][0]}")),
    exchanges: [{}, { status: 500, body: /The body cannot be made/, asked: false }],
  },
  {
    says: 'a response template finds the key',
    api: {
      ...asked(content("${request.headers['X-Nope'][0]}")),
      responseTemplates: { ASSIGN_CONTENT_ERROR: { '*/*': { status: 422, body: 'no body: {#error.key}' } } },
    },
    exchanges: [{}, { status: 422, body: 'no body: ASSIGN_CONTENT_ERROR', asked: false }],
  },
  {
    says: 'a condition decides whether it runs',
    api: asked(content('made', { condition: "{#request.headers['X-Make'] != null}" })),
    exchanges: [
      [{ method: 'POST', body: 'a' }, { asked: { body: 'a' } }],
      [{ method: 'POST', body: 'a', headers: { 'x-make': '1' } }, { asked: { body: 'made' } }],
    ],
  },
  {
    says: 'the body of an answer becomes what the template makes',
    api: answered(content('${response.status} ${response.headers["X-Kind"][0]} ${response.content}')),
    backend: { status: 201, headers: { 'x-kind': 'a', 'content-type': 'text/plain' }, body: 'done' },
    exchanges: [
      {},
      { status: 201, body: '201 a done', headers: { 'content-length': '10', 'content-type': 'text/plain' } },
    ],
  },
  {
    says: 'an answer is replaced without being read',
    api: answered(content('short')),
    backend: { headers: { 'content-encoding': 'gzip' }, body: 'not really packed' },
    exchanges: [{}, { body: 'short', headers: { 'content-length': '5', 'content-encoding': undefined } }],
  },
  {
    says: 'an answer that is compressed is not read as text',
    api: answered(content('${response.content}')),
    backend: { headers: { 'content-encoding': 'gzip' }, body: 'packed' },
    exchanges: [{}, { status: 500 }],
  },
  {
    says: 'only those that fit of a JSON answer are left',
    api: answered(
      content(
        '<#assign all = response.content?eval_json>[<#list all?filter(x -> x.open) as x>"${x.name?json_string}"<#sep>, </#list>]',
      ),
    ),
    backend: {
      body: '[{"name": "E", "open": true}, {"name": "S", "open": false}, {"name": "W", "open": true}]',
    },
    exchanges: [{}, { body: ['E', 'W'] }],
  },
  {
    says: 'the answer to HEAD has no body, whatever the template makes',
    api: answered(content('made')),
    exchanges: [{ method: 'HEAD' }, { status: 200, body: '' }],
  },
  {
    says: 'an answer that may have no body has none',
    api: answered(content('made')),
    backend: { status: 204 },
    exchanges: [{}, { status: 204, body: '' }],
  },
  {
    says: 'an answer of the gateway itself passes the template',
    api: {
      flows: [
        flow('/', {
          request: [step('mock', { status: '202', content: 'mocked' })],
          response: [content('<${response.content}>')],
        }),
      ],
    },
    exchanges: [{}, { status: 202, body: '<mocked>', asked: false }],
  },
  {
    says: 'scope says nothing in version 4: the phase of the flow decides',
    api: answered(step('policy-assign-content', { scope: 'REQUEST', body: 'answer' })),
    exchanges: [
      { method: 'POST', body: 'x' },
      { body: 'answer', asked: { body: 'x' } },
    ],
  },
  {
    says: 'in version 2 the scope decides',
    file: ({ id, targets }) => ({
      id,
      name: id,
      version: '1',
      gravitee: '2.0.0',
      execution_mode: 'v4-emulation-engine',
      proxy: {
        virtual_hosts: [{ path: `/${id}` }],
        groups: [{ name: 'default', endpoints: [{ name: 'one', type: 'http', target: targets[0] }] }],
      },
      plans: [{ id: 'open', name: 'open', security: 'key_less', status: 'published', order: 1 }],
      flows: [
        {
          name: 'all',
          'path-operator': { path: '/', operator: 'STARTS_WITH' },
          enabled: true,
          pre: [
            {
              name: 'q',
              policy: 'policy-assign-content',
              enabled: true,
              configuration: { scope: 'REQUEST', body: 'to ${request.method}' },
            },
          ],
          post: [
            {
              name: 'r',
              policy: 'policy-assign-content',
              enabled: true,
              configuration: { scope: 'RESPONSE', body: 'from ${response.status}' },
            },
          ],
        },
      ],
    }),
    exchanges: [
      { method: 'POST', body: 'x' },
      { body: 'from 200', asked: { body: 'to POST' } },
    ],
  },
];

/** What APIs do, about bodies that templates make. */
export const aboutAssignContent: Subject = { name: 'assign-content', rows };
