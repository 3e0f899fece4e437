/** A chapter of the reference of definitions. */
export interface Chapter {
  readonly title: string;
  /** Where its fields stand in a definition; '' for the root; undefined where others have them. */
  readonly at: string | undefined;
  readonly text: string;
  /** YAML: parts of an API, or of isthmus.yaml where the first line names it. */
  readonly examples: readonly string[];
}

/** In reading order: from where an API listens to what is recorded of it. */
export const chapters: readonly Chapter[] = [
  {
    title: 'API',
    at: '',
    text: 'Version 4 (`gravitee: 4.0.0`, or `definitionVersion: V4`), of the type proxy. Exports of versions 1 and 2 are read as they are ([moving over](guides/moving-over.md)).',
    examples: [],
  },
  {
    title: 'Listeners',
    at: 'listeners[]',
    text: 'Where an API is reached. Two APIs cannot share a host and path.',
    examples: [
      `listeners:
  - { type: HTTP, paths: [{ host: shop.example.com, path: /weather }] }`,
    ],
  },
  {
    title: 'CORS',
    at: 'listeners[].cors',
    text: 'Who may call from a browser. Everything else than `enabled: true` is off.',
    examples: [
      `listeners:
  - type: HTTP
    paths: [{ path: /weather }]
    cors: { enabled: true, allowOrigin: ["https://shop.example.com"], allowMethods: [GET], allowHeaders: [X-Gravitee-Api-Key], maxAge: 600 }`,
    ],
  },
  {
    title: 'Endpoint groups',
    at: 'endpointGroups[]',
    text: 'Backends that stand in for each other.',
    examples: [],
  },
  {
    title: 'Endpoints',
    at: 'endpointGroups[].endpoints[]',
    text: "`sharedConfigurationOverride` has the fields of [how endpoints are reached](#how-endpoints-are-reached) and counts with `inheritConfiguration: false`. `services.healthCheck` has those of [health checks](#health-checks): with `overrideConfiguration: true` it counts in place of the group's. An endpoint that is `secondary` gets calls when no other is there.",
    examples: [
      `endpointGroups:
  - name: default
    type: http-proxy
    loadBalancer: { type: WEIGHTED_ROUND_ROBIN }
    endpoints:
      - { name: one, type: http-proxy, weight: 3, configuration: { target: "https://one.example.com/weather" } }
      - { name: two, type: http-proxy, weight: 1, configuration: { target: "https://two.example.com/weather" } }
      - { name: spare, type: http-proxy, secondary: true, configuration: { target: "https://spare.example.com/weather" } }`,
    ],
  },
  {
    title: 'How endpoints are reached',
    at: 'endpointGroups[].sharedConfiguration',
    text: 'HTTP, headers that are added, the proxy in between, and TLS. Files are those of the gateway. `useCompression`, or `propagateClientAcceptEncoding`, lets backends compress for clients that accept it: their `Accept-Encoding` is passed on, and without both it is not. Where a step or the condition of failover reads an answer that is compressed (gzip, deflate, br, zstd), it reads what the answer says, and what a step has read goes on uncompressed. Where a step reads answers, `Range` is not passed on: who asks for a part gets all. `http2...` counts with `version: HTTP_2` only; -1 is as the protocol or the backend has it. `followRedirects` follows 301, 302, 303, 307 and 308 of GET and HEAD, and 303 of any method as a GET, at most 16, where the gateway may call; another origin gets only headers that hold no secret (what is accepted, ranges, conditions, user agent, ids), and none that the endpoint sets.',
    examples: [
      `endpointGroups:
  - name: default
    type: http-proxy
    sharedConfiguration:
      http: { connectTimeout: 1000, readTimeout: 5000, maxConcurrentConnections: 100 }
      headers: [{ name: X-Caller, value: weather }]
      proxy: { enabled: true, type: HTTP, host: proxy.example.com, port: 3128 }
    endpoints:
      - { name: one, type: http-proxy, configuration: { target: "https://one.example.com" } }`,
    ],
  },
  {
    title: 'Health checks',
    at: 'endpointGroups[].services.healthCheck',
    text: 'Endpoints that fail get no calls until they succeed again. `schedule` is second, minute, hour, day, month, weekday, or `@hourly` and the like; the assertion also knows `#responseTime`.',
    examples: [
      `endpointGroups:
  - name: default
    type: http-proxy
    endpoints:
      - { name: one, type: http-proxy, configuration: { target: "https://one.example.com" } }
      - { name: two, type: http-proxy, configuration: { target: "https://two.example.com" } }
    services:
      healthCheck:
        enabled: true
        type: http-health-check
        configuration: { schedule: "*/10 * * * * *", target: /health, assertion: "{#response.status == 200}", failureThreshold: 3 }`,
    ],
  },
  {
    title: 'Discovery',
    at: 'endpointGroups[].services.discovery',
    text: [
      'Endpoints that are found, beside those of the group, whose `sharedConfiguration` and health check they have. `consul-service-discovery` takes `url` to `ssl`, `dns-service-discovery` `host` to `path`. With several workers the primary asks, for all of them. Who cannot be asked, or answers what nobody understands, has said nothing: what was found stays, also for a new revision that asks for the same (it does not outlive the gateway). What is found goes only where endpoints may lead (`upstream.allow`, `upstream.deny`); the rest is left out. The node API (`/discovery`), the log and `isthmus_discovery_...` say what is found and what goes wrong; bounds are settings (`discovery`).',
      'Consul is asked for the health of `service` in the data centre `dc` with the token `acl`, and answers when something has changed (a blocking query). An instance of which a check is `critical` is none. It is called at its address, else its node\'s; of its `Meta`, `gravitee_path` is the path, `gravitee_ssl: "true"` makes it https, `gravitee_weight` is the weight (else that of Consul, by whether a check is `warning`), `gravitee_tenant` the tenant. Its name is `consul#` and its id. It is tested against a server of ours that speaks as much of Consul\'s HTTP interface as is asked, not against Consul itself.',
      'DNS is asked for `record` of `host`: each address of `A` or `AAAA` is an endpoint, called by the name and dialled at the address; the names of `SRV` are asked for theirs, the lowest priority gets requests by weight, and the others are secondary. An answer is asked for again when its shortest time to live is over. A name that does not exist has no endpoints. The servers are those of the system, or the setting `discovery.dns.servers`.',
    ].join('\n\n'),
    examples: [
      `endpointGroups:
  - name: default
    type: http-proxy
    services:
      discovery:
        enabled: true
        type: consul-service-discovery
        configuration: { url: "http://consul.example.com:8500", service: weather, dc: paris }`,
      `endpointGroups:
  - name: default
    type: http-proxy
    endpoints:
      - { name: spare, type: http-proxy, secondary: true, configuration: { target: "https://spare.example.com" } }
    services:
      discovery:
        enabled: true
        type: dns-service-discovery
        configuration: { host: _https._tcp.weather.example.com, record: SRV, scheme: https, path: /v1 }`,
    ],
  },
  {
    title: 'Failover',
    at: 'failover',
    text: 'What happens when a backend fails: the call is made again, and after `maxFailures` requests in a row that failed none is made for `openStateDuration`. `slowCallDuration` is the longest wait for the head of an answer; an answer for which `failureCondition` holds has failed too.',
    examples: [
      `failover: { enabled: true, maxRetries: 1, slowCallDuration: 1000, forceNextEndpointOnFailure: true, failureCondition: "{#response.status == 503}" }`,
    ],
  },
  {
    title: 'Properties that are fetched',
    at: 'services.dynamicProperty',
    text: 'A control plane asks `url` by its `schedule` while the API is started, and sends what it got to gateways beside the deployment, when it differs: properties with `dynamic: true`; one that the definition has wins. The answer, transformed by a [specification of JOLT](transformations.md), is `[{"key": ..., "value": ...}]`. It reaches public addresses and what `outbound.allow` of the control plane names. A fetch that fails changes nothing; `deployments/current` says why. A gateway of files refuses it: write the properties down there.',
    examples: [],
  },
  {
    title: 'Plans',
    at: 'plans[]',
    text: 'A list, or a map by id. Who is let in: `KEY_LESS`, `API_KEY`, `JWT`, `OAUTH2` or `MTLS`, whose `security.configuration` is that of the [policy](policies/README.md) of that name. `flows` are [flows](#flows) for callers of the plan.',
    examples: ['plans:\n  keys: { security: { type: API_KEY } }'],
  },
  {
    title: 'Plans of certificates',
    at: undefined,
    text: `A caller is known by the certificate that it shows. The gateway needs \`listen.tls\` with \`clientAuth: request\`. In a control plane the certificate
is the application's: \`"settings": { "tls": { "client_certificate": "<PEM>" } }\` where it is made or changed, or \`client_certificates\`, a list of
\`{name, certificate, startsAt, endsAt}\`; the subscription to the plan needs nothing more. In files it is the subscription's:`,
    examples: [
      'plans:\n  certificates: { security: { type: MTLS } }',
      `# isthmus.yaml
subscriptions:
  - id: umbrella-shop
    api: weather
    plan: certificates
    application: Umbrella shop
    clientCertificate: |
      -----BEGIN CERTIFICATE-----
      MIIBhTCCASqgAwIBAgIUNHahKsPDaUC16woJ1iZxA/ZlSUwwCgYIKoZIzj0EAwIw
      GDEWMBQGA1UEAwwNdW1icmVsbGEtc2hvcDAgFw0yNjExMjkxNDQ5MTVaGA8yMTI2
      MTEwNTE0NDkxNVowGDEWMBQGA1UEAwwNdW1icmVsbGEtc2hvcDBZMBMGByqGSM49
      AgEGCCqGSM49AwEHA0IABFPZ2FFv07vCB1rxDjWQ8WtoyR+SUs5Cugmfe50EhHHT
      b10nqXBu5cw3/ftOrN9SC9fk+ZzyLWGEKMD19nnmVeWjUDBOMB0GA1UdDgQWBBRH
      J8MatQ3COM6qvp/7fpjdd/nV4DAfBgNVHSMEGDAWgBRHJ8MatQ3COM6qvp/7fpjd
      d/nV4DAMBgNVHRMBAf8EAjAAMAoGCCqGSM49BAMCA0kAMEYCIQDlQ/QNkwHyyrib
      yw/Ao/Lndf8DWwF0dP6fzoYMOssvHQIhAP/xNrFDphzM1/ISQhAFwvsWM3MLisEn
      5UCLaJr5i5Un
      -----END CERTIFICATE-----`,
    ],
  },
  {
    title: 'Flows',
    at: 'flows[]',
    text: "Which steps run for which requests. A step names a [policy](policies/README.md); a `condition` is an [expression](expressions.md). `path` is below the path of the listener; a segment `:id` stands for any, and is `{#request.pathParams['id'][0]}`; no other sign does (`*`, `{id}` and patterns are taken as they are written). `STARTS_WITH` is a prefix of the text: `/product` takes `/products` too, `EQUALS` does not; a slash at the end makes no difference. No `methods` are all of them; `OTHER` stands for those that have no name of their own. A management API takes a condition of a flow as a selector, `{ type: CONDITION, condition: ... }`; in files `condition` beside the selectors is the same.",
    examples: [
      `flows:
  - name: limit
    selectors:
      - { type: HTTP, path: /forecast, pathOperator: STARTS_WITH, methods: [GET] }
      - { type: CONDITION, condition: "{#request.headers['X-Trial'] == null}" }
    request:
      - { policy: rate-limit, configuration: { rate: { limit: 10, periodTime: 1, periodTimeUnit: SECONDS } } }`,
    ],
  },
  {
    title: 'Shared policy groups',
    at: 'sharedPolicyGroups[]',
    text: 'Steps that APIs share. They stand in `isthmus.yaml`, or are made by `POST .../shared-policy-groups` and put in force by `POST .../shared-policy-groups/{id}/_deploy`. In place of a group that is not there a step refuses.',
    examples: [
      `# isthmus.yaml
sharedPolicyGroups:
  - id: limits
    name: Limits
    phase: REQUEST
    steps:
      - { policy: rate-limit, configuration: { rate: { limit: 10, periodTime: 1, periodTimeUnit: SECONDS } } }`,
      `flows:
  - selectors: [{ type: HTTP, path: /, pathOperator: STARTS_WITH }]
    request:
      - { policy: shared-policy-group-policy, configuration: { sharedPolicyGroupId: limits } }`,
    ],
  },
  {
    title: 'Resources',
    at: 'resources[]',
    text: 'What plans and policies use by name; each type has its [configuration](resources.md).',
    examples: [],
  },
  {
    title: 'Response templates',
    at: 'responseTemplates',
    text: 'What callers get in place of a refusal: by its key (or `DEFAULT`), then by content type (or `*/*`).',
    examples: [
      `responseTemplates:
  API_KEY_MISSING:
    "*/*": { status: 401, body: "Ask for a key at shop.example.com.", headers: { Content-Type: text/plain } }`,
    ],
  },
  {
    title: 'Analytics',
    at: 'analytics',
    text: `\`enabled: false\` keeps no records of calls. Logging keeps headers and bodies besides: of the client's side (\`mode.entrypoint\`) or the backend's
(\`mode.endpoint\`), of the request or the response (\`phase\`). Without a mode and a phase nothing is selected. What is masked and how much is kept the
gateway's \`report.logs\` says ([settings](configuration.md)); \`GET .../apis/{apiId}/logs\` lists calls, \`.../logs/{requestId}\` tells what was logged of one.`,
    examples: [
      `analytics:
  enabled: true
  logging:
    mode: { entrypoint: true }
    phase: { request: true, response: true }
    content: { headers: true, payload: true }
    condition: "{#request.method == 'POST'}"`,
    ],
  },
];
