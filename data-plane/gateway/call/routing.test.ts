import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

/** Where requests go: expressions in targets and in headers of endpoints, and routes of steps, through a gateway and two backends. */

const echoed = (text: string) =>
  JSON.parse(text) as { readonly url: string; readonly headers: Record<string, string | undefined> };
const group = (name: string, target: string, more: object = {}): object => ({
  name,
  type: 'http-proxy',
  endpoints: [{ name: `${name}-1`, type: 'http-proxy', configuration: { target } }],
  ...more,
});

test('a target is worked out for each request; one that is none, or where the gateway may not call, is 503 and said in the record', async (t) => {
  const [one, two] = [await startUpstream(t), await startUpstream(t)];
  const dataDir = join(tempDir(t), 'data');
  const gateway = await startLocalGateway(t, {
    apis: {
      moving: apiDefinition('moving', '', {
        properties: [
          { key: 'one', value: one.url },
          { key: 'two', value: two.url },
          { key: 'denied', value: 'http://169.254.169.254/latest' },
        ],
        endpointGroups: [
          group('g', "{#properties[#request.headers['Take'][0]]}/base?own=1", {
            sharedConfiguration: {
              headers: [
                { name: 'X-Api', value: '{#api.id} {#request.method}' },
                { name: 'X-Gone', value: "{#request.headers['Nope']?.[0]}" },
                { name: 'X-Split', value: "{#request.params['p']?.[0]}" },
              ],
            },
          }),
        ],
      }),
    },
    config: { dataDir, report: { enabled: true } },
  });
  const ask = (take: string, path = '/moving/a?b=c') => gateway.call(path, { headers: { Take: take } });
  for (const [take, { url }] of [
    ['one', one],
    ['two', two],
    ['one', one],
  ] as const) {
    const seen = echoed((await ask(take)).text);
    assert.equal(seen.url, '/base/a?own=1&b=c');
    assert.equal(seen.headers['host'], new URL(url).host);
    assert.deepEqual([seen.headers['x-api'], seen.headers['x-gone']], ['moving GET', undefined]);
  }
  const split = echoed((await ask('one', '/moving/a?p=x%0d%0aEvil:%201')).text);
  assert.deepEqual([split.headers['x-split'], split.headers['evil']], [undefined, undefined]);
  for (const take of ['denied', 'nope', '']) assert.equal((await ask(take)).status, 503, take);
  const records = await eventually(async () => {
    const written = await accessRecords(dataDir);
    return written.length === 7 && written;
  });
  assert.match(JSON.stringify(records[5]), /EXPRESSION_EVALUATION_ERROR/);
});

test('a client does not leave the path, the host or the query in which a target has a place for what he says', async (t) => {
  const upstream = await startUpstream(t);
  const own = "{#properties['fr']}";
  const given = "{#request.headers['X-P'][0]}";
  const targets = {
    path: `${upstream.url}/${own}/${given}`,
    joined: `${upstream.url}/a/.${given}`,
    query: `${upstream.url}/a?q=${given}`,
    host: `http://${given}.invalid:${upstream.port}/a`,
    start: `{#properties['url']}/${given}`,
    put: "{#properties['url'] + '/' + #request.headers['X-P'][0]}",
    chosen: "{#properties['other'] ?: #request.headers['X-P'][0]}",
  };
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(
      Object.entries(targets).map(([id, target]) => [
        id,
        apiDefinition(id, '', {
          endpointGroups: [group('g', target)],
          properties: [
            { key: 'other', value: '' },
            { key: 'url', value: `${upstream.url}/x/../base` },
            { key: 'fr', value: 'd/../france' },
          ],
        }),
      ]),
    ),
  });
  const ask = async (id: string, value: string): Promise<string> => {
    const answer = await gateway.call(`/${id}`, { headers: { 'X-P': value } });
    return answer.status === 200 ? echoed(answer.text).url : String(answer.status);
  };
  const hostile = [
    '../../admin',
    '..',
    '.',
    '%2e%2E/a',
    'a/%2e./b',
    'a%2f..%2fb',
    '..;x=1/a',
    '%252e%252e',
    'a\\..\\b',
    'x?evil=1&',
    'x#y',
    '..%5ca',
  ];
  for (const value of hostile) {
    assert.equal(await ask('path', value), '503', value);
    assert.equal(await ask('start', value), '503', value);
    assert.equal(await ask('put', value), '503', value);
    assert.equal(await ask('host', `${value}/`), '503', value);
  }
  assert.equal(await ask('path', 'a.b'), '/france/a.b');
  assert.equal(await ask('joined', './admin'), '503');
  assert.equal(await ask('start', 'a.b/..c/d;e=1'), '/base/a.b/..c/d;e=1');
  assert.equal(await ask('query', '../a?b'), '/a?q=../a?b');
  assert.equal(await ask('query', 'a#b'), '503');
  assert.equal(await ask('put', 'a.b'), '/base/a.b');
  assert.equal(await ask('chosen', `${upstream.url}/admin`), '503');
});

test('dynamic routing sends a request to an endpoint, a group or a URL by its path; no rule is 400', async (t) => {
  const [one, two] = [await startUpstream(t), await startUpstream(t)];
  const rules = [
    { pattern: '/books/(?<id>[^/]+)(/.*)?', url: "{#endpoints['second-1']}/b/{#groupName['id']}{#group[1]}" },
    { pattern: '/group/(.*)', url: "{#endpoints['second']}/{#group[0]}?own=1" },
    { pattern: '/bare', url: 'first:' },
    { pattern: '/slash', url: 'first://hello' },
    { pattern: '/url', url: `${two.url}/there?x=1` },
    { pattern: '/metadata', url: 'http://169.254.169.254/latest' },
    { pattern: '/odd', url: "second:/{#request.headers['X'][0]}" },
    { pattern: '/nowhere', url: 'nobody:/a' },
    { pattern: '/fails', url: "{#request.headers['Nope'][0]}" },
    { pattern: '/caf\u00e9', url: 'first:/decoded' },
  ];
  const gateway = await startLocalGateway(t, {
    apis: {
      r: apiDefinition('r', '', {
        endpointGroups: [group('first', `${one.url}/one`), group('second', `${two.url}/two`)],
        flows: [flow('/', { request: [['dynamic-routing', { rules }]] })],
      }),
      nope: apiDefinition('nope', one.url, {
        flows: [
          flow('/', { request: [['dynamic-routing', { rules: [{ pattern: '/x', url: 'nobody:/a' }] }]] }),
        ],
      }),
      none: apiDefinition('none', one.url, {
        flows: [flow('/', { request: [['dynamic-routing', { rules: [] }]] })],
      }),
    },
  });
  const hosts = new Map([
    [new URL(one.url).host, 'one'],
    [new URL(two.url).host, 'two'],
  ]);
  const went = async (path: string, headers = {}): Promise<string> => {
    const answer = await gateway.call(path, { headers });
    if (answer.status !== 200) return String(answer.status);
    const seen = echoed(answer.text);
    return `${hosts.get(seen.headers['host'] ?? '')} ${seen.url}`;
  };
  const rows: readonly (readonly [path: string, went: string])[] = [
    ['/r/books/7', 'two /two/b/7'],
    ['/r/books/a%20b/c?q=1', 'two /two/b/a%20b/c?q=1'],
    ['/r/group/x/y', 'two /two/x/y?own=1'],
    ['/r/group/x?q=1', 'two /two/x?own=1&q=1'],
    ['/r/bare?q=1', 'one /one?q=1'],
    ['/r/slash', 'one /one//hello'],
    ['/r/url?q=1', 'two /there?x=1&q=1'],
    ['/r/caf%C3%A9', 'one /one/decoded'],
    ['/r/metadata', '503'],
    ['/r/nowhere', '503'],
    ['/r/fails', '500'],
    ['/r/other', '400'],
    ['/r/books', '400'],
    ['/none/x', 'one /x'],
  ];
  for (const [path, where] of rows) assert.equal(await went(path), where, path);
  assert.equal(await went('/r/odd', { X: 'a b#c"d' }), 'two /two/a%20b%23c%22d');
  const told = gateway.logged.filter((line) => line.includes('NO_ENDPOINT_FOUND'));
  assert.match(told.join(), /routed to a URL that the gateway may not call/);
  await went('/nope/x');
  assert.match(gateway.logged.join(), /routed to \\"nobody\\", which the API does not have/);
});

test('routing, callouts and copies lead nowhere but where the definition or the operator says, whatever a caller brings', async (t) => {
  const [backend, chosen, other] = [await startUpstream(t), await startUpstream(t), await startUpstream(t)];
  const given = "{#request.headers['X'][0]}";
  const steps = (url: string) => ({
    routed: ['dynamic-routing', { rules: [{ pattern: '/.*', url }] }],
    assigned: ['policy-assign-attributes', { attributes: [{ name: 'request.endpoint', value: url }] }],
    called: ['policy-http-callout', { url }],
    copied: ['traffic-shadowing', { target: url }],
  });
  const urls = {
    whole: given,
    host: `http://a${given}`,
    port: `http://127.0.0.1:${given}`,
    below: `http://${given}.invalid`,
    path: `${chosen.url}/${given}`,
    query: `${chosen.url}/?q=${given}`,
  };
  const apis = Object.entries(urls).flatMap(([url, written]) =>
    Object.entries(steps(written)).map(([kind, step]) => {
      const id = `${kind}-${url}`;
      const [policy, configuration] = step as [string, object];
      return [
        id,
        apiDefinition(id, backend.url, { flows: [flow('/', { request: [[policy, configuration]] })] }),
      ] as const;
    }),
  );
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(apis),
    config: { upstream: { chosenByRequests: [new URL(chosen.url).host] } },
  });
  const ask = async (id: string, X: string): Promise<number> =>
    (await gateway.call(`/${id}/x`, { headers: { X } })).status;
  const hostOfOther = new URL(other.url).host;
  const hostile = [
    other.url,
    `http:${hostOfOther}`,
    `http:\\\\${hostOfOther}`,
    `//${hostOfOther}`,
    `@${hostOfOther}/`,
    `:x@${hostOfOther}/`,
    `\\@${hostOfOther}`,
    String(other.port),
    `.${hostOfOther}`,
    `${new URL(chosen.url).origin}@${hostOfOther}/`,
    `${chosen.url}\\@${hostOfOther}/`,
    '%2e%2e/x',
  ];
  for (const kind of Object.keys(steps('')))
    for (const url of ['whole', 'host', 'port', 'below'])
      for (const value of hostile) await ask(`${kind}-${url}`, value);
  assert.deepEqual([chosen.requests.length, other.requests.length], [0, 0]);
  // What may be chosen is: the operator's host, a path, a query.
  assert.deepEqual(
    [
      await ask('routed-whole', `${chosen.url}/a`),
      await ask('called-whole', `${chosen.url}/b`),
      await ask('routed-port', String(chosen.port)),
      await ask('assigned-whole', `${chosen.url}/c`),
      await ask('routed-path', 'd//e'),
      await ask('called-query', 'f@g/../h'),
      await ask('routed-path', '../d'),
      await ask('called-path', 'd?e=f'),
    ],
    [200, 200, 200, 200, 200, 200, 500, 500],
  );
  assert.deepEqual(chosen.requests, ['GET /a', 'GET /b', 'GET /', 'GET /c', 'GET /d//e', 'GET /?q=f@g/../h']);
  assert.equal(await ask('copied-whole', `${chosen.url}/copy`), 200);
  await eventually(() => chosen.requests.includes('GET /copy/x'));
});
