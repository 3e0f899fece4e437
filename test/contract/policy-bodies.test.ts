import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';

import type { StepPolicyId } from '../../data-plane/policies/index.ts';
import { definitionOf, methodOf } from '../../proto/policies/reference/example.ts';
import { type LocalGateway, startLocalGateway } from '../kit/gateway/gateway.ts';
import { backendOf, folderOf, policyExamples, settingsOf, withBackend } from '../kit/policy-examples.ts';
import { tempDir } from '../kit/temp-dir.ts';

/** What each policy does, in its example, with a body that has no end: it goes on as it comes, or is refused past the bound of what is read. */

/** More than what a check holds back of a body that passes under its eyes (64 KiB). */
const bufferedBytesMax = 128 * 1024;

const sides = ['request', 'response'] as const;
type Side = (typeof sides)[number];

/** Texts of a type that go on as long as there are blanks. */
const begins = {
  'application/json': '{"model":"m","input":"hi"',
  'text/xml': '<a',
  'text/html': '<p>hello</p>',
} as const;
type Type = keyof typeof begins;

/** What tells such a body from others. */
const blanks = ' '.repeat(64);
const begun = (type: Type, bytes: number): string => begins[type].padEnd(bytes, ' ');

/** That of a body goes on which has no end, or the status of the answer while it is still coming. */
type Fate = 'passes' | number;

interface Row {
  readonly request: Fate;
  readonly response: Fate;
  /** Default: of JSON. */
  readonly type?: Type;
  /** Which call of the example is sent with such a body. Default: the first that reaches the backend. */
  readonly call?: number;
}

const passes: Row = { request: 'passes', response: 'passes' };
/** Reads the whole of the request. */
const wholeRequest: Row = { request: 413, response: 'passes' };
/** ... and of the answer. */
const wholeAnswer: Row = { request: 'passes', response: 502 };

/** One for each policy, without which this does not compile. */
const rows: Readonly<Record<StepPolicyId, Row>> = {
  'ai-prompt-guard-rails': wholeRequest,
  'ai-prompt-token-tracking': passes,
  'ai-semantic-caching': wholeRequest,
  cache: passes,
  compression: passes,
  'concurrency-limit': passes,
  'cost-ratelimit': passes,
  'dynamic-routing': passes,
  'generate-http-signature': passes,
  'geoip-filtering': passes,
  'html-json': { ...wholeAnswer, type: 'text/html' },
  'http-redirect': passes,
  'http-signature': passes,
  'ip-filtering': passes,
  javascript: passes,
  js: wholeAnswer,
  // Looked at while it passes.
  'json-threat-protection': passes,
  'json-to-json': wholeRequest,
  'json-validation': wholeRequest,
  'json-xml': wholeRequest,
  jws: wholeRequest,
  latency: passes,
  'metrics-reporter': passes,
  // Answers unread.
  mock: { request: 201, response: 201 },
  'oas-validation': { ...wholeRequest, call: 1 },
  'pii-filtering': { request: 413, response: 502 },
  'policy-assign-attributes': passes,
  'policy-assign-content': wholeRequest,
  'policy-assign-metrics': passes,
  'policy-basic-authentication': passes,
  'policy-circuit-breaker': passes,
  'policy-data-logging-masking': passes,
  'policy-generate-jwt': passes,
  'policy-http-callout': passes,
  // Answers unread.
  'policy-interrupt': { request: 503, response: 503 },
  'policy-openid-userinfo': passes,
  'policy-override-request-method': passes,
  'policy-request-validation': passes,
  quota: passes,
  'rate-limit': passes,
  rbac: passes,
  'regex-threat-protection': wholeRequest,
  // Its own bound.
  'request-content-limit': { request: 413, response: 'passes' },
  'resource-filtering': passes,
  // Another body is sent in its place, and what comes back is made JSON by a second step.
  'rest-to-soap': { request: 200, response: 502, type: 'text/xml' },
  // Who asks again has it at hand.
  retry: wholeRequest,
  'shared-policy-group-policy': passes,
  'spike-arrest': passes,
  'ssl-enforcement': passes,
  'status-code': passes,
  'token-bucket-rate-limit': passes,
  'token-ratelimit': passes,
  'traffic-shadowing': passes,
  'transform-headers': passes,
  'transform-queryparams': passes,
  'url-rewriting': wholeAnswer,
  'xml-json': { ...wholeAnswer, type: 'text/xml' },
  // Looked at while it passes; refused where it is longer than 1000 characters.
  'xml-threat-protection': { request: 400, response: 'passes', type: 'text/xml' },
  'xml-validation': { ...wholeRequest, type: 'text/xml' },
  xslt: { ...wholeAnswer, type: 'text/xml' },
};

/** What the backend of an API does. */
interface Part {
  /** Of the call, below its context path. */
  readonly path: string;
  /** What it answers that call with; undefined: as the example says. */
  readonly body: { readonly type: Type; readonly bytes: number; readonly hasEnd: boolean } | undefined;
  readonly answers: ReturnType<typeof backendOf>;
  onPiece(): void;
}

suite('a body without an end passes each policy as it comes, or is refused past its bound', () => {
  const steps = policyExamples().filter(({ example }) => example.security === undefined);
  const ended: (() => unknown)[] = [];
  const context = { after: (end: unknown) => void ended.unshift(end as () => unknown) };
  /** By side and id. */
  const playing = new Map<string, Part>();
  /** One for each side, since some policies count their requests. */
  const gateways: Partial<Record<Side, LocalGateway>> = {};

  before(async () => {
    const server = createServer((incoming, outgoing) => {
      const [, id = '', path = ''] = /^\/([^/?]+)([^]*)$/.exec(incoming.url ?? '') ?? [];
      const part = playing.get(id);
      incoming.on('error', () => undefined);
      outgoing.on('error', () => undefined);
      incoming.on('data', (piece: Buffer) => {
        if (piece.includes(blanks)) part?.onPiece();
      });
      incoming.on('end', () => {
        const isAsked = incoming.headers['x-asked'] !== undefined || part?.path === path;
        const { status, headers, body } = part?.answers(path) ?? { status: 404, headers: {}, body: '' };
        if (part?.body === undefined || !isAsked) return void outgoing.writeHead(status, headers).end(body);
        const { type, bytes, hasEnd } = part.body;
        outgoing.writeHead(200, { 'Content-Type': type });
        if (hasEnd) outgoing.end(begun(type, bytes));
        else outgoing.write(begun(type, bytes));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context.after(() => (server.closeAllConnections(), server.close()));
    const { port } = server.address() as AddressInfo;
    const url = (side: Side, id: string): string => `http://127.0.0.1:${port}/${side}-${id}`;
    for (const side of sides)
      gateways[side] = await startLocalGateway(context, {
        apis: {
          ...Object.fromEntries(
            steps.map(({ policy, example }) => [
              policy.id,
              withBackend(definitionOf(policy, example), url(side, policy.id)),
            ]),
          ),
          isthmus: folderOf(steps),
        },
        config: { ...settingsOf(steps, tempDir(context)), request: { bufferedBytesMax } },
      });
  });
  after(async () => {
    for (const end of ended) await end();
  });

  /** What comes of so many bytes on one side: that they go on, or the status of an answer. */
  const fateOf = (
    { policy: { id }, example }: (typeof steps)[number],
    { side, bytes, hasEnd }: { readonly side: Side; readonly bytes: number; readonly hasEnd: boolean },
  ) =>
    new Promise<Fate>((resolve, reject) => {
      const { type = 'application/json', call } = rows[id as StepPolicyId];
      const reaching = example.calls.find(({ received }) => (received ?? 'nothing') !== 'nothing');
      const asked = (
        call === undefined || side === 'response' ? (reaching ?? example.calls[0]) : example.calls[call]
      )?.request;
      const { path = '', headers = {}, ...more } = asked ?? assert.fail(`${id} has no such call`);
      const onPiece = (): void => {
        resolve('passes');
        sent.destroy();
      };
      const body = side === 'response' ? { type, bytes, hasEnd } : undefined;
      playing.set(`${side}-${id}`, { path, body, answers: backendOf(example), onPiece });
      const sent = request(
        {
          port: gateways[side]?.port,
          host: '127.0.0.1',
          path: `/${id}${path}`,
          method: methodOf(more),
          headers: {
            ...headers,
            'X-Asked': 'yes',
            ...(side === 'request' && { 'Content-Type': type, 'Transfer-Encoding': 'chunked' }),
          },
        },
        (answer) => {
          const { statusCode = 0 } = answer;
          const isBackends = side === 'response' && statusCode === 200;
          answer.on('error', () => undefined);
          answer.once('data', () => (isBackends ? onPiece() : resolve(statusCode)));
          answer.once('end', () => resolve(statusCode));
        },
      ).on('error', reject);
      if (side === 'response') sent.end(more.body);
      else if (hasEnd) sent.end(begun(type, bytes));
      else sent.write(begun(type, bytes));
    });

  test('each step of the catalogue has an example to try', () => {
    assert.deepEqual(Object.keys(rows).toSorted(), steps.map(({ policy }) => policy.id).toSorted());
  });

  for (const shown of steps)
    test(shown.policy.id, async () => {
      const { id } = shown.policy;
      for (const side of sides) {
        const fate = rows[id as StepPolicyId][side];
        const endless = { side, bytes: bufferedBytesMax + 1, hasEnd: false };
        assert.equal(await fateOf(shown, endless), fate, side);
        // One byte less is read, whatever comes of it.
        if ((fate === 413 && id !== 'request-content-limit') || fate === 502)
          assert.notEqual(
            await fateOf(shown, { side, bytes: bufferedBytesMax, hasEnd: true }),
            fate,
            `${side} at the bound`,
          );
      }
    });
});
