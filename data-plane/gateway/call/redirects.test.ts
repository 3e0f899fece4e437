import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';

interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A backend that redirects as the path says: `/302/there` to `/there`, `/307+http://...` elsewhere; everything else is answered. */
async function startRedirecting(t: TestContext) {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      heard.push({ method, url, headers, body });
      const [, status, location] = /^\/(3\d\d)(?:\/|\+)(.*)$/.exec(url.split('?')[0] ?? '') ?? [];
      if (status === undefined) return void response.end(`at ${url}`);
      const to = location?.startsWith('http') === true ? decodeURIComponent(location) : (location ?? '');
      response.writeHead(Number(status), { location: to === 'loop' ? url : to });
      response.end('elsewhere');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, heard };
}

const following = (target: string, more: object = {}) => ({
  endpointGroups: [
    {
      name: 'default-group',
      type: 'http-proxy',
      sharedConfiguration: {
        http: { followRedirects: true },
        headers: [{ name: 'X-Endpoint', value: 'secret' }],
      },
      endpoints: [{ name: 'default', type: 'http-proxy', configuration: { target } }],
    },
  ],
  ...more,
});

test('redirects are followed as the reference’s client does: by GET and HEAD, by 303 as a GET, sixteen of them', async (t) => {
  const backend = await startRedirecting(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', backend.url, following(backend.url)),
      plain: apiDefinition('plain', backend.url),
      failing: apiDefinition('failing', backend.url, following(backend.url, { failover: { enabled: true } })),
      stepped: apiDefinition(
        'stepped',
        backend.url,
        following(backend.url, {
          flows: [
            flow('/', {
              response: [
                [
                  'transform-headers',
                  {
                    addHeaders: [{ name: 'X-Method', value: '{#request.method}' }],
                  },
                ],
              ],
            }),
          ],
        }),
      ),
    },
  });
  const asked = async (path: string, options: Parameters<typeof gateway.call>[1] = {}) => {
    backend.heard.length = 0;
    const { status, text, headers } = await gateway.call(path, options);
    return {
      status,
      text,
      headers,
      heard: backend.heard.map(({ method, url, body }) => [method, url, body].join(' ').trim()),
    };
  };
  for (const status of [301, 302, 303, 307, 308]) {
    const { text, heard } = await asked(`/a/${status}//there?a=1`);
    assert.deepEqual(
      [text, heard],
      ['at /there', [`GET /${status}//there?a=1`, 'GET /there']],
      String(status),
    );
  }
  assert.deepEqual((await asked('/a/302+there')).heard, ['GET /302+there', 'GET /there'], 'a relative one');
  assert.deepEqual((await asked('/a/302//there', { method: 'HEAD' })).heard, [
    'HEAD /302//there',
    'HEAD /there',
  ]);
  const post = { method: 'POST', body: 'x' };
  for (const status of [301, 302, 307, 308]) {
    const came = await asked(`/a/${status}//there`, post);
    assert.deepEqual([came.status, came.heard.length], [status, 1], 'the caller follows by itself');
  }
  assert.deepEqual((await asked('/a/303//there', post)).heard, ['POST /303//there x', 'GET /there']);
  const loop = await asked('/a/302/loop');
  assert.deepEqual([loop.status, loop.heard.length], [302, 17]);
  for (const path of [
    '/a/304//there',
    '/a/302/ftp:x',
    '/plain/302//there',
    '/a/302/http:%2F%2Fu:p@127.0.0.1%2F',
  ])
    assert.equal((await asked(path)).heard.length, 1, path);
  assert.equal((await asked('/failing/302//there')).text, 'at /there');
  const after = await asked('/stepped/303//there', post);
  assert.equal(after.headers['x-method'], 'POST', 'steps see what was asked');
});

test('another origin gets neither the caller’s credentials nor the endpoint’s headers, and only one that the gateway may call', async (t) => {
  const [first, second] = [await startRedirecting(t), await startRedirecting(t)];
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', first.url, following(first.url)) },
  });
  const to = (url: string): string => `/a/302+${encodeURIComponent(url)}`;
  const headers = {
    authorization: 'Bearer t',
    cookie: 'a=1',
    'x-other': '1',
    'x-gravitee-api-key': 'k',
    accept: 'text/plain',
    'user-agent': 'u/1',
  };
  const came = await gateway.call(to(`${second.url}/there`), { headers });
  assert.equal(came.text, 'at /there');
  const [elsewhere] = second.heard;
  assert.deepEqual(
    ['authorization', 'cookie', 'x-endpoint', 'x-other', 'host'].map((name) => elsewhere?.headers[name]),
    [undefined, undefined, undefined, undefined, new URL(second.url).host],
  );
  await gateway.call(to(`${first.url}/there`), { headers });
  const there = first.heard.at(-1);
  assert.deepEqual([there?.headers.authorization, there?.headers['x-endpoint']], ['Bearer t', 'secret']);
  assert.deepEqual(
    ['x-gravitee-api-key', 'accept', 'user-agent'].map((name) => elsewhere?.headers[name]),
    [undefined, 'text/plain', 'u/1'],
  );
  const metadata = await gateway.call(to('http://169.254.169.254/latest'));
  assert.deepEqual([metadata.status, metadata.text], [302, 'elsewhere'], 'the redirect is the answer');
});

test('attempts of failover know nothing of each other’s redirects: each begins at the endpoint with the whole request, and what was given up goes nowhere', async (t) => {
  const heard: string[] = [];
  const waits: (() => void)[] = [];
  const elsewhere = createServer((request, response) => {
    heard.push(
      `elsewhere ${request.method} ${request.url} ${request.headers.authorization ?? '-'} ${String(request.headers['x-endpoint'] ?? '-')}`,
    );
    waits.push(() => void response.writeHead(302, { location: '/b' }).end());
  });
  const endpoint = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      heard.push(`endpoint ${request.method} ${request.url} ${body}`.trim());
      response.writeHead(303, { location: `http://127.0.0.1:${portOf(elsewhere)}/a` }).end();
    });
  });
  for (const server of [elsewhere, endpoint]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  }
  const target = `http://127.0.0.1:${portOf(endpoint)}`;
  const failover = { enabled: true, maxRetries: 1, slowCallDuration: 200, maxFailures: 100 };
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', target, following(target, { failover })) },
  });
  const headers = { authorization: 'Bearer t' };
  const answer = gateway.call('/a/x', { method: 'POST', body: 'whole', headers });
  await eventually(() => waits.length === 2);
  // The first attempt was given up: its answer leads nowhere any more.
  waits[0]?.();
  assert.equal((await answer).status, 502);
  const first = ['endpoint POST /x whole', 'elsewhere GET /a - -'];
  assert.deepEqual(heard, [...first, ...first]);
});

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
