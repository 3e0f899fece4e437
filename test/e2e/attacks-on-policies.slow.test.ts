import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test, type TestContext } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

import { definitionOf } from '../../proto/policies/reference/example.ts';
import { apiDefinition, type LocalGateway, startLocalGateway } from '../kit/gateway/gateway.ts';
import { folderOf, policyExamples, settingsOf, withBackend } from '../kit/policy-examples.ts';
import { tempDir } from '../kit/temp-dir.ts';

/** Bodies that are made to do harm, sent through every policy in its example, and answered to it by a backend. */

const mib = 1024 * 1024;
const bufferedBytesMax = 2 * mib;
/** Longest that one of them may take, on a machine that others use too. */
const answerMsMax = 10_000;
const deep = 100_000;

interface Bomb {
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly coding?: string;
}

const json = 'application/json';
const xml = 'text/xml';
const zeros = Buffer.alloc(64 * mib, '0');
const laughs = Array.from({ length: 10 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('');

const bombs: Readonly<Record<string, Bomb>> = {
  'lists in lists': { type: json, body: `${'['.repeat(deep)}${']'.repeat(deep)}` },
  'objects in objects': { type: json, body: `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}` },
  'messages in messages': {
    type: json,
    body: `{"messages":[{"role":"user","content":${'[{"text":'.repeat(deep)}"x"${'}]'.repeat(deep)}}]}`,
  },
  'one name again and again': { type: json, body: `{${'"a":1,'.repeat(deep)}"a":2}` },
  'names of every object': { type: json, body: '{"__proto__":{"a":1},"constructor":{"prototype":{"b":2}}}' },
  'a number without end': { type: json, body: `{"a":${'9'.repeat(mib)}}` },
  'half a character': { type: json, body: '{"a":"\\ud800","b":"\\u0000"}' },
  'no UTF-8': { type: json, body: Buffer.from('{"a":"\xff\xfe"}', 'latin1') },
  'JSON that breaks off': { type: json, body: '{"a":[1,2' },
  'a billion laughs': { type: xml, body: `<!DOCTYPE a [<!ENTITY l0 "lol">${laughs}]><a>&l10;</a>` },
  'a file of the machine': {
    type: xml,
    body: '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
  },
  'elements in elements': { type: xml, body: `${'<a>'.repeat(deep)}${'</a>'.repeat(deep)}` },
  'attributes without end': {
    type: xml,
    body: `<a ${Array.from({ length: 50_000 }, (_, n) => `b${n}="c"`).join(' ')}/>`,
  },
  'HTML that nobody closes': { type: 'text/html', body: '<div><table><a>'.repeat(20_000) },
  'a line of events without end': { type: 'text/event-stream', body: `data: ${'x'.repeat(mib)}` },
  'events in events': {
    type: 'text/event-stream',
    body: `data: {"choices":${'['.repeat(deep)}\n\n`.repeat(2) + 'data: [DONE]\n\n',
  },
  'a form of names': {
    type: 'application/x-www-form-urlencoded',
    body: Array.from({ length: 50_000 }, (_, n) => `a${n}=%2525`).join('&'),
  },
  'gzip of zeros': { type: json, body: gzipSync(zeros), coding: 'gzip' },
  'deflate of zeros': { type: xml, body: deflateSync(zeros), coding: 'deflate' },
  'br of zeros': { type: json, body: brotliCompressSync(zeros), coding: 'br' },
  'zstd of zeros': { type: 'text/event-stream', body: zstdCompressSync(zeros), coding: 'zstd' },
  'gzip of gzip of zeros': { type: json, body: gzipSync(gzipSync(zeros)), coding: 'gzip, gzip' },
  'gzip that is none': { type: json, body: 'no gzip', coding: 'gzip' },
};

/** Answers with the bomb that a header names, or says what it is asked. */
async function startBackend(t: Pick<TestContext, 'after'>): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const bomb = bombs[String(incoming.headers['x-bomb'] ?? '')];
    incoming.on('error', () => undefined).resume();
    incoming.on('end', () => {
      if (bomb === undefined) return void outgoing.end('{"hello":"world"}');
      const { type, coding, body } = bomb;
      outgoing
        .writeHead(200, { 'content-type': type, ...(coding !== undefined && { 'content-encoding': coding }) })
        .end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

suite(
  'bodies that are made to do harm end in a refusal by key or pass by, through every policy in its example',
  () => {
    const examples = policyExamples().filter(({ example }) => example.security === undefined);
    const ended: (() => unknown)[] = [];
    const context = { after: (end: unknown) => void ended.unshift(end as () => unknown) };
    let gateway: LocalGateway;

    before(async () => {
      const backend = await startBackend(context);
      const bug = { '*/*': { statusCode: 500, body: 'a bug' } };
      gateway = await startLocalGateway(context, {
        apis: {
          ...Object.fromEntries(
            examples.map(({ policy, example }) => [
              policy.id,
              withBackend(
                {
                  ...definitionOf(policy, example),
                  responseTemplates: { GATEWAY_POLICY_INTERNAL_ERROR: bug },
                },
                backend,
              ),
            ]),
          ),
          alive: apiDefinition('alive', backend),
          isthmus: folderOf(examples),
        },
        config: { ...settingsOf(examples, tempDir(context)), request: { bufferedBytesMax } },
      });
    });
    after(async () => {
      for (const end of ended) await end();
    });

    for (const { policy, example } of examples)
      test(policy.id, async () => {
        const [first] = example.calls;
        const { path = '', headers = {} } = first?.request ?? {};
        for (const [name, { type, body, coding }] of Object.entries(bombs)) {
          const coded: Readonly<Record<string, string>> =
            coding === undefined ? {} : { 'Content-Encoding': coding };
          for (const [side, sent] of [
            ['sent', { method: 'POST', headers: { ...headers, 'Content-Type': type, ...coded }, body }],
            ['answered', { headers: { ...headers, 'X-Bomb': name } }],
          ] as const) {
            const startedMs = performance.now();
            const answer = await gateway.call(`/${policy.id}${path}`, sent).catch((error: unknown) => error);
            const tookMs = performance.now() - startedMs;
            const what = `${name}, ${side}`;
            assert.ok(tookMs < answerMsMax, `${what}: ${tookMs} ms`);
            // A client that is refused while it sends may see its connection end.
            if (answer instanceof Error) continue;
            assert.ok(typeof answer === 'object' && answer !== null && 'text' in answer);
            assert.notEqual(answer.text, 'a bug', `${what}: ${gateway.logged.at(-1)}`);
            assert.doesNotMatch(String(answer.text), /root:x:0/, what);
          }
        }
        assert.equal((await gateway.call('/alive')).status, 200);
        assert.equal(Object.hasOwn(Object.prototype, 'a') || Object.hasOwn(Object.prototype, 'b'), false);
        const most = 700 * mib;
        assert.ok(process.memoryUsage().rss < most, `${Math.round(process.memoryUsage().rss / mib)} MiB`);
      });
  },
);
