import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test, type TestContext } from 'node:test';

import type { OutboundResponse } from '../../../proto/process/outbound/outbound.ts';
import { type KitCall, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { startScripts } from '../../../test/kit/scripts/sandbox.ts';
import type { StepPolicyId } from '../index.ts';
import type { PolicyHost } from '../policy.ts';

/** Every wait of policies that is bounded by places: whoever leaves a queue gives his place in it back. */

interface Row {
  readonly id: StepPolicyId;
  readonly configuration: object;
  /** How many are in and wait, at most. */
  readonly room: number;
  /** Of those, who are in. */
  readonly inside: number;
  /** What who is one too many is warned of. */
  readonly full: string;
  readonly body?: string;
  /** What called servers answer. */
  readonly says?: string;
  readonly host?: (t: TestContext) => Partial<PolicyHost>;
}

const sheet =
  '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><b/></xsl:template></xsl:stylesheet>';
const xsdSchema =
  '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="xs:string"/></xs:schema>';
const service = { url: 'http://asked.example/', maxConcurrentConnections: 1 };

/** Called servers that answer when they are told to. */
function silent(says = '') {
  const asked: (() => void)[] = [];
  const outbound: PolicyHost['outbound'] = {
    request: () => {
      const { promise, resolve } = Promise.withResolvers<OutboundResponse>();
      const bytes = Buffer.from(says);
      const answer: Partial<OutboundResponse> = {
        status: 200,
        headers: {},
        bytes: () => Promise.resolve(bytes),
      };
      asked.push(() => resolve(answer as OutboundResponse));
      return promise;
    },
  };
  return { asked, outbound };
}

const rows: readonly Row[] = [
  {
    id: 'policy-http-callout',
    configuration: { url: service.url, http: { maxConcurrentConnections: 1 } },
    room: 1_001,
    inside: 1,
    full: 'CALLOUT_HTTP_ERROR',
  },
  {
    id: 'ai-prompt-guard-rails',
    configuration: { classifier: service, requestPolicy: 'BLOCK_REQUEST' },
    room: 1_001,
    inside: 1,
    full: 'UNEXPECTED_ERROR',
    body: 'a prompt',
    says: '[]',
  },
  {
    id: 'ai-semantic-caching',
    configuration: { embeddings: service },
    room: 1_001,
    inside: 1,
    full: 'AI_SEMANTIC_CACHING_ERROR',
    body: 'a prompt',
    says: '[1, 0]',
  },
  // Their threads come up meanwhile: nobody is in before that.
  {
    id: 'js',
    configuration: { script: '1' },
    room: 10,
    inside: 0,
    full: 'JS_NO_CAPACITY',
    host: (t) => ({ scripts: startScripts(t, { waitingMax: 20 }) }),
  },
  {
    id: 'xslt',
    configuration: { stylesheet: sheet },
    room: 100,
    inside: 0,
    full: 'XSLT_TRANSFORMATION_FAILURE',
    body: '<a/>',
  },
  {
    id: 'xml-validation',
    configuration: { xsdSchema },
    room: 100,
    inside: 0,
    full: 'XML_VALIDATION_UNAVAILABLE',
    body: '<a/>',
  },
];

for (const { id, configuration, room, inside, full, body = '', says, host } of rows) {
  test(`${id}: who leaves while he waits makes room at once, is told nothing, and has nothing done for him`, async (t) => {
    const { asked, outbound } = silent(says);
    const { policy, call } = startPolicy(id, configuration, { host: { outbound, ...host?.(t) } });
    const enter = () => {
      const entered: KitCall = call({ body });
      const settled = (async () => {
        await entered.pass();
        if (policy.around === undefined) return;
        await entered.readContent('request');
        await entered.ask(() => Promise.resolve({ kind: 'failure', failure: 'aborted', message: '' }));
      })();
      return { entered, settled };
    };
    const fill = (count: number) => Array.from({ length: count }, enter);
    const warned = async ({ entered, settled }: ReturnType<typeof enter>): Promise<string> => {
      await settled;
      return entered.warnings.join();
    };

    const first = fill(room);
    assert.equal(await warned(enter()), full, 'one too many');
    const leaving = first.slice(inside);
    for (const { entered } of leaving) entered.end({ kind: 'clientAborted' });
    const next = fill(room - inside);
    assert.equal(await warned(enter()), full, 'as many have room as before, and no more');
    for (const each of leaving) assert.equal(await warned(each), '');

    const staying = [...first.slice(0, inside), ...next];
    let isDone = false;
    const done = Promise.all(staying.map(warned)).then((warnings) => {
      isDone = true;
      return warnings;
    });
    let answered = 0;
    while (!isDone) {
      for (; answered < asked.length; answered += 1) asked[answered]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(
      (await done).filter((warning) => warning !== ''),
      [],
    );
    // A request goes on behind its step, for as long as its backend takes: what waited for its end would keep the body that was worked on.
    for (const { entered } of staying) assert.deepEqual(getEventListeners(entered.over, 'abort'), []);
    if (inside > 0) assert.equal(asked.length, staying.length, 'nobody is asked for who left');
  });
}
