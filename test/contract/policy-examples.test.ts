import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, after, suite, test } from 'node:test';

import { definitionOf, methodOf, type PolicyExample } from '../../proto/policies/reference/example.ts';
import { backendOf, folderOf, policyExamples, settingsOf, withBackend } from '../kit/policy-examples.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { type LocalGateway, startLocalGateway } from '../kit/gateway/gateway.ts';

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Example = ReturnType<typeof policyExamples>[number];

/** The same example under each other name of its policy. */
const examples = policyExamples().flatMap(({ policy, example }): readonly Example[] => [
  { policy, example },
  ...(policy.aliases ?? []).map((alias) => ({
    policy: { ...policy, id: alias },
    example: {
      ...example,
      ...(example.request !== undefined && { request: renamed(example.request, policy.id, alias) }),
      ...(example.response !== undefined && { response: renamed(example.response, policy.id, alias) }),
    },
  })),
]);

function renamed<Step extends object>(steps: readonly Step[], id: string, alias: string): readonly Step[] {
  return steps.map((step) => ('policy' in step && step.policy === id ? { ...step, policy: alias } : step));
}

/** A text with `…` for what may differ. */
function assertSaid(actual: string | undefined, expected: string | null, what: string): void {
  if (expected === null) return assert.equal(actual, undefined, what);
  const [first = '', ...others] = expected.split('…');
  if (others.length === 0) return assert.equal(actual, expected, what);
  let at = first.length;
  assert.ok(actual?.startsWith(first) === true && actual.endsWith(others.at(-1) ?? ''), `${what}: ${actual}`);
  for (const part of others) {
    const found = actual.indexOf(part, at);
    assert.ok(found >= 0, `${what}: ${actual}`);
    at = found + part.length;
  }
}

function assertHeaders(
  actual: Readonly<Record<string, string | string[] | undefined>>,
  expected: Readonly<Record<string, string | null>> = {},
  what: string,
): void {
  for (const [name, value] of Object.entries(expected))
    assertSaid(actual[name.toLowerCase()]?.toString(), value, `${what} ${name}`);
}

/** The backend of one example: what it was asked, and what it answers. */
async function startBackend(example: PolicyExample) {
  const received: Received[] = [];
  const answers = backendOf(example);
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      received.push({ method, path: url, headers, body: Buffer.concat(parts).toString() });
      const { status, headers: said, body } = answers(url);
      outgoing.writeHead(status, said).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: () => (server.closeAllConnections(), server.close()),
  };
}

suite('every example of the reference of policies answers as its page says', () => {
  const ended: (() => unknown)[] = [];
  const backends = new Map<string, Awaited<ReturnType<typeof startBackend>>>();
  let gateway: LocalGateway;

  before(async () => {
    for (const { policy, example } of examples) {
      const backend = await startBackend(example);
      backends.set(policy.id, backend);
      ended.push(backend.close);
    }
    const dir = tempDir({ after: (end) => void ended.push(end as () => unknown) });
    gateway = await startLocalGateway(
      { after: (end) => void ended.unshift(end as () => unknown) },
      {
        apis: {
          ...Object.fromEntries(
            examples.map(({ policy, example }) => [
              policy.id,
              withBackend(definitionOf(policy, example), backends.get(policy.id)?.url ?? ''),
            ]),
          ),
          isthmus: folderOf(examples),
        },
        config: settingsOf(examples, dir),
      },
    );
  });
  after(async () => {
    for (const end of ended) await end();
  });

  for (const { policy, example } of examples)
    test(policy.id, async () => {
      const { received } = backends.get(policy.id) ?? { received: [] };
      for (const [index, { request, received: expected, answer }] of example.calls.entries()) {
        const before = received.length;
        const { path = '', headers = {}, body } = request;
        const what = `call ${index + 1}`;
        const answered = await gateway.call(`/${policy.id}${path}`, {
          method: methodOf(request),
          // As curl does, which the page shows.
          headers: {
            Accept: '*/*',
            ...(body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body }),
        });
        assert.equal(answered.status, answer.status ?? 200, `${what}: ${answered.text}`);
        assertHeaders(answered.headers, answer.headers, `${what} answers`);
        if (answer.body !== undefined) assertSaid(answered.text, answer.body, `${what} answers`);
        if (expected === undefined) continue;
        if (expected === 'nothing') {
          assert.equal(received.length, before, `${what} asks the backend`);
          continue;
        }
        const got = received.at(-1);
        assert.ok(got !== undefined && received.length > before, `${what} does not ask the backend`);
        if (expected.method !== undefined) assert.equal(got.method, expected.method, what);
        if (expected.path !== undefined) assertSaid(got.path, expected.path, what);
        if (expected.body !== undefined) assertSaid(got.body, expected.body, what);
        assertHeaders(got.headers, expected.headers, `${what} sends`);
      }
    });
});
