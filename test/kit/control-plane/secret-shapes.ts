/** Stands in every secret of the shapes, and in nothing else. */
export const shapeSecret = 'PLANTED-h7';
/** Stands in what has to stay to be seen. */
export const shapeShown = 'shown-to-all';

const secret = shapeSecret;
const shown = shapeShown;

/** Fields of a configuration of which no schema knows, by what is tried with them; each has secrets, and most of them something beside that is none. */
export const secretShapes: Readonly<Record<string, object>> = {
  'names of fields': {
    basicAuth: secret,
    pass: secret,
    pw: secret,
    bearer: secret,
    smtpPass: secret,
    db_pass: secret,
    dbpass: secret,
    userPw: secret,
    psk: secret,
    creds: secret,
    passcode: secret,
    masterKey: secret,
    passwordValue: secret,
    token2: secret,
    secretBase64: secret,
    cookies: { session: secret },
    compass: shown,
    bypass: shown,
    passThrough: shown,
    maxTokens: shown,
    bearerOnly: shown,
    tokenEndpoint: shown,
  },
  'basic authentication as an object': { basicAuth: { username: secret, other: [secret] }, basic: shown },
  'a user with his password': { auth: `user:${secret}`, basic: `user:${secret}`, login: shown },
  'headers with capitals': {
    headers: [
      { Name: 'Authorization', Value: secret },
      { NAME: 'x-api-key', VALUE: secret },
      { Name: 'Accept', Value: shown },
    ],
  },
  'headers with longer names of fields': {
    headers: [
      { headerName: 'Authorization', headerValue: secret },
      { header_name: 'Cookie', header_value: secret },
      { header: 'X-Api-Key', value: secret },
      { headerName: 'Accept', headerValue: shown },
    ],
    parameters: [
      { paramName: 'access_token', paramValue: secret },
      { parameter: 'api_key', defaultValue: secret },
      { paramName: 'page', paramValue: shown },
    ],
  },
  'headers with several values': {
    headers: [
      { name: 'Authorization', values: [secret, secret] },
      { name: 'Accept', values: [shown] },
    ],
  },
  'headers as a map of lists': { requestHeaders: { Authorization: [secret], Accept: [shown] } },
  'headers as lines': {
    headers: [`Authorization: Bearer ${secret}`, `x-api-key:${secret}`, `Accept: ${shown}`],
    curl: ['-H', `Cookie: a=${secret}`, '-H', `Accept: ${shown}`],
  },
  'headers as pairs': {
    headers: [
      ['Authorization', secret],
      ['Accept', shown],
    ],
    raw: ['Authorization', `${secret} x`, 'Accept', shown],
    removed: ['Authorization', 'X-Api-Key', shown, 'Cookie'],
  },
  'headers in one text': {
    extra: `Accept: a\r\nAuthorization: Basic ${secret}\r\nX-A: b`,
    other: `Accept: ${shown}`,
  },
  'a token behind its scheme': { value: `Bearer ${secret}-longer`, other: `Bearers of ${shown}` },
  'JSON in a text': {
    payload: JSON.stringify({ a: [{ password: secret }] }),
    twice: JSON.stringify({ inner: JSON.stringify({ apiKey: secret }) }),
    other: JSON.stringify({ a: [{ colour: shown }] }),
  },
  'XML in a text': {
    payload: `<a><Password>${secret}</Password></a>`,
    other: `<a><Colour>${shown}</Colour></a>`,
  },
  'YAML in a text': { payload: `user: u\npassword: ${secret}\n`, other: `user: u\ncolour: ${shown}\n` },
  'settings in a text': {
    store: `AccountName=a;AccountKey=${secret};EndpointSuffix=b`,
    form: `grant_type=client_credentials&client_secret=${secret}`,
    jaas: `required username="u" password="${secret}";`,
    other: `AccountName=${shown};EndpointSuffix=b`,
  },
  'addresses of databases': {
    a: `jdbc:postgresql://host/db?user=u&password=${secret}`,
    b: `jdbc:sqlserver://host;user=u;password=${secret}`,
    c: `jdbc:mysql://user:${secret}@host/db`,
    d: `jdbc:oracle:thin:user/${secret}@host:1521:db`,
    e: `mongodb+srv://user:${secret}@host/db`,
    f: `redis://a:1,redis://:${secret}@b:2`,
    g: `jdbc:postgresql://host/${shown}?ssl=true`,
    h: `jdbc:oracle:thin:@host:1521:${shown}`,
  },
  'URLs with user information in odd spellings': {
    a: `https:\\\\user:${secret}@host/`,
    b: `https:/user:${secret}@host/`,
    c: `https:user:${secret}@host/`,
    d: `https:///user:${secret}@host/`,
    e: `ht\ntps://user:${secret}@host/`,
    f: `https://user:${secret}/x@host/`,
    g: `https://user:${secret} x?#@host/`,
    h: `https://{#properties['user']}:${secret}@host/`,
    i: `https://${secret}:@host/`,
    j: `  //${secret}@host/`,
    k: `see https://user:${secret}@host/ for more`,
    l: `https://host:8080/${shown}@x`,
    m: `https://user:{#properties['p']}@host/${shown}`,
    n: `https://host:{#properties['port']}/${shown}@x`,
    o: `https://[::1]:80/${shown}@x`,
  },
  'user information without a scheme': {
    proxy: { host: `user:${secret}@proxy.example`, port: 1 },
    servers: [`user:${secret}@one.example:1`, `one.example:1/${shown}`],
    dsn: `user:${secret}@tcp(host:1)/db`,
    address: `mailto:${shown}@host.example`,
  },
  'parameters of URLs': {
    callback: `https://host/a?api_key=${secret}&b=c`,
    signed: `https://host/a?X-Amz-Signature=${secret}`,
    other: `https://host/a?page=${shown}`,
    named: `https://host/a?api_key={#properties['key']}&b=${shown}`,
  },
  'private keys': {
    certificate: `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----`,
    other: `-----BEGIN CERTIFICATE-----\n${shown}`,
  },
  'expressions that are none': {
    headers: [
      { name: 'Authorization', value: `{#'${secret}'` },
      { name: 'Authorization', value: `{#request.headers.get('x', '${secret}')}` },
      { name: 'X-Api-Key', value: `Bearer {#properties['${shown}']}` },
      { name: 'X-Token', value: `{#${'hunter'}}${secret}` },
    ],
  },
};

/** The same for fields that a schema knows and takes for no secrets: what says it of itself is one all the same. */
export const knownShapes: Readonly<Record<string, object>> = {
  'the host of a proxy': {
    proxy: { enabled: true, host: `user:${secret}@proxy.example`, port: 1, type: 'HTTP' },
  },
  'a header of endpoints': {
    headers: [
      { name: 'Authorization', value: `{#'${secret}'` },
      { name: 'x-a', value: shown },
    ],
  },
  'a private key in a trust store': {
    ssl: { trustStore: { type: 'PEM', content: `-----BEGIN PRIVATE KEY-----\n${secret}\n` } },
  },
};

/** Expressions that no gateway takes, each with a secret in it, as values of headers that let somebody in. */
export const brokenExpressions: readonly string[] = [
  `{#'${secret}'`,
  `{#'${secret}'.foo()}`,
  `{#secrets.gat('${secret}')}`,
  `{#request.headers['${secret}'}`,
  `{T(java.${secret})}`,
  `{#properties['a'] + '${secret}' +}`,
];
