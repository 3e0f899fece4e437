/** A step as the reference's console writes it. */
const step = (policy: string, configuration: object, more: object = {}): object => ({
  name: policy,
  description: '',
  enabled: true,
  policy,
  configuration,
  ...more,
});
const flow = (
  path: string,
  steps: { readonly request?: readonly object[]; readonly response?: readonly object[] },
): object => ({
  name: '',
  enabled: true,
  selectors: [{ type: 'HTTP', path, pathOperator: path === '/' ? 'STARTS_WITH' : 'EQUALS', methods: [] }],
  request: [],
  response: [],
  subscribe: [],
  publish: [],
  tags: [],
  ...steps,
});

const guards = [
  step('ip-filtering', {
    matchAllFromXForwardedFor: false,
    whitelistIps: ['127.0.0.1'],
    blacklistIps: ['192.0.2.66'],
  }),
  step('resource-filtering', { whitelist: [], blacklist: [{ pattern: '/admin/**', methods: [] }] }),
  step('regex-threat-protection', { regex: '.*(drop\\s+table|union\\s+select).*', caseSensitive: false }),
  step('request-content-limit', { limit: 2_000 }, { condition: "{#request.method == 'POST'}" }),
];
const orders = [
  step('json-threat-protection', {
    maxDepth: 5,
    maxArraySize: 10,
    maxEntries: 50,
    maxNameLength: 40,
    maxValueLength: 200,
  }),
  step('json-validation', {
    scope: 'REQUEST',
    errorMessage: '{"message":"This is no order"}',
    schema: '{"type":"object","properties":{"pieces":{"type":"integer","minimum":1}},"required":["pieces"]}',
    deepCheck: false,
    validateUnchecked: false,
    straightRespondMode: false,
  }),
  step('policy-request-validation', {
    scope: 'REQUEST',
    status: '400',
    rules: [
      {
        input: "{#request.headers['X-Shop']}",
        isRequired: true,
        constraint: { type: 'ENUM', parameters: ['north', 'south'], message: '%s is no shop' },
      },
    ],
  }),
  step('policy-assign-attributes', {
    scope: 'REQUEST',
    attributes: [{ name: 'shop', value: "{#request.headers['X-Shop'][0]}" }],
  }),
  step('json-to-json', {
    scope: 'REQUEST',
    specification: '[{"operation":"shift","spec":{"pieces":"quantity","*":"more.&"}}]',
    overrideContentType: true,
  }),
  step('transform-queryparams', {
    clearAll: false,
    addQueryParameters: [{ name: 'shop', value: "{#context.attributes['shop']}" }],
    removeQueryParameters: ['debug'],
  }),
  step('transform-headers', {
    scope: 'REQUEST',
    addHeaders: [{ name: 'X-From', value: '{#api.name}' }],
    removeHeaders: ['X-Debug'],
    whitelistHeaders: [],
  }),
];

/** An API of a stranger, as a console of the reference exports it: 25 policies, by what its public documentation says of them. */
export const strangersDefinition = (target: string): object => ({
  export: { date: '2026-05-04T09:12:44.301Z', apimVersion: '4.9.3' },
  api: {
    id: '6a0d1c54-33a1-4c6e-8f0b-52a1f6c7d801',
    definitionVersion: 'V4',
    type: 'PROXY',
    name: 'Harbour shop',
    description: 'Ropes, sails and lamps',
    apiVersion: '3.2',
    state: 'STARTED',
    visibility: 'PRIVATE',
    lifecycleState: 'CREATED',
    tags: [],
    groups: [],
    labels: [],
    categories: [],
    properties: [{ key: 'season', value: 'summer', encrypted: false, dynamic: false }],
    resources: [],
    responseTemplates: {
      RATE_LIMIT_TOO_MANY_REQUESTS: { '*/*': { status: 429, headers: {}, body: '{"slow":"down"}' } },
    },
    listeners: [
      {
        type: 'HTTP',
        paths: [{ path: '/shop/', overrideAccess: false }],
        pathMappings: [],
        entrypoints: [{ type: 'http-proxy', qos: 'AUTO', configuration: {} }],
      },
    ],
    endpointGroups: [
      {
        name: 'Default HTTP proxy group',
        type: 'http-proxy',
        loadBalancer: { type: 'ROUND_ROBIN' },
        services: {},
        sharedConfiguration: { http: { keepAliveTimeout: 30_000, version: 'HTTP_1_1', readTimeout: 10_000 } },
        endpoints: [
          {
            name: 'Backend',
            type: 'http-proxy',
            weight: 1,
            inheritConfiguration: true,
            secondary: false,
            services: {},
            configuration: { target },
          },
        ],
      },
    ],
    analytics: { enabled: true },
    flowExecution: { mode: 'DEFAULT', matchRequired: false },
    flows: [
      flow('/', {
        request: guards,
        response: [
          step('transform-headers', {
            scope: 'RESPONSE',
            addHeaders: [{ name: 'X-Season', value: "{#api.properties['season']}" }],
            removeHeaders: ['Server'],
          }),
        ],
      }),
      flow('/orders', { request: orders }),
      flow('/prices', {
        request: [
          step('rest-to-soap', {
            envelope:
              '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><price>{#xmlEscape(#request.params[\'item\'][0])}</price></e:Body></e:Envelope>',
            soapAction: 'price',
            charset: 'UTF-8',
            preserveQueryParams: false,
          }),
        ],
        response: [step('xml-json', { scope: 'RESPONSE' })],
      }),
      flow('/labels', { request: [step('json-xml', { scope: 'REQUEST', rootElement: 'label' })] }),
      flow('/customers', {
        request: [
          step('policy-http-callout', {
            method: 'GET',
            url: `${target}/tiers/{#request.params['id'][0]}`,
            headers: [],
            variables: [{ name: 'tier', value: "{#jsonPath(#calloutResponse.content, '$.tier')}" }],
            scope: 'REQUEST',
            fireAndForget: false,
            exitOnError: true,
            errorCondition: '{#calloutResponse.status >= 400 and #calloutResponse.status <= 599}',
            errorStatusCode: '404',
            errorContent: 'No such customer',
          }),
          step('policy-override-request-method', { method: 'POST' }),
          step('policy-assign-content', {
            scope: 'REQUEST',
            body: '{"tier":"${context.attributes[\'tier\']}","was":"${request.method}"}',
          }),
        ],
      }),
      flow('/catalogue', {
        request: [
          step('dynamic-routing', {
            rules: [{ pattern: '/catalogue', url: "{#endpoints['Backend']}/lists/all" }],
          }),
        ],
        response: [
          step('url-rewriting', {
            rewriteResponseHeaders: true,
            rewriteResponseBody: true,
            fromRegex: 'http://inside\\.example/([a-z]+)',
            toReplacement: 'https://shop.example/{#group[0]}',
          }),
        ],
      }),
      flow('/old', {
        request: [step('http-redirect', { rules: [{ path: '/old', location: '/shop/new', status: 301 }] })],
      }),
      flow('/closed', {
        request: [
          step(
            'policy-interrupt',
            { errorKey: 'SHOP_CLOSED', message: 'Until tomorrow', statusCode: 503, variables: [] },
            { condition: "{#request.method == 'GET'}" },
          ),
        ],
      }),
      flow('/about', {
        request: [
          step('mock', {
            status: '200',
            headers: [{ name: 'Content-Type', value: 'text/plain' }],
            content: "Since {#request.params['year'][0]}",
          }),
        ],
      }),
      flow('/scripted', {
        request: [
          step('js', {
            script: "request.headers().set('X-Word', request.parameter('word').toUpperCase());",
            readContent: false,
            overrideContent: false,
          }),
        ],
      }),
      flow('/few', {
        request: [
          step('rate-limit', {
            addHeaders: true,
            async: false,
            errorStrategy: 'FALLBACK_PASS_TROUGH',
            rate: { useKeyOnly: false, periodTime: 1, periodTimeUnit: 'MINUTES', limit: 1, key: '' },
          }),
        ],
      }),
      flow('/once', {
        request: [
          step('quota', {
            addHeaders: true,
            async: false,
            quota: { limit: 1, periodTime: 1, periodTimeUnit: 'DAYS', useKeyOnly: false, key: '' },
          }),
        ],
      }),
    ],
  },
  members: [],
  metadata: [],
  pages: [],
  plans: [
    {
      id: '1a6f3c18-8b41-4a0c-9a5d-0f7d2b7a4c11',
      definitionVersion: 'V4',
      name: 'Everybody',
      description: '',
      mode: 'STANDARD',
      status: 'PUBLISHED',
      type: 'API',
      validation: 'AUTO',
      security: { type: 'KEY_LESS', configuration: {} },
      flows: [],
      order: 1,
      tags: [],
      characteristics: [],
      excludedGroups: [],
      commentRequired: false,
    },
  ],
  apiMedia: [],
});
