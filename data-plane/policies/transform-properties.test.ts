import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { startPolicy } from '../../test/kit/gateway/policies.ts';

/** What hostile clients and careless authors write, beside any other text. */
const odd = [
  '__proto__',
  'constructor',
  'toString',
  'a b',
  'ä',
  '%61',
  '%',
  '%zz',
  'a&b=c',
  'a=b',
  '#x',
  'a;b',
  '\u0000',
  'a\r\nX: y',
  '\ud800',
  '[]',
  'x[0]',
];
const word = fc.oneof(fc.constantFrom(...odd), fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }));
const queryName = word.filter((name) => name.length <= 128 && !/[{}]/.test(name));
const plainValue = word.filter((value) => !/[{}]/.test(value));
/** A query as a client would send it. */
const sentQuery = fc
  .array(fc.tuple(queryName, plainValue), { maxLength: 6 })
  .map((pairs) => (pairs.length === 0 ? undefined : new URLSearchParams(pairs).toString()));

/** The query behind the step, as a backend reads it. */
function queryAfter(config: object, query: string | undefined, headers: Record<string, string> = {}) {
  const call = startPolicy('transform-queryparams', config).call({ request: { query }, headers });
  assert.equal(call.pass(), undefined);
  const after = call.request.query;
  // RFC 3986 section 3.4, and nothing of a request line beside it.
  if (after !== undefined) assert.match(after, /^[\x21-\x7e]+$/);
  assert.doesNotMatch(after ?? '', /[#"<>\\^`{|}]/);
  return { after, pairs: [...new URLSearchParams(after ?? '')] };
}

const pairsOf = (query: string | undefined) => [...new URLSearchParams(query ?? '')];

test('a step that names nothing leaves every query as it was sent', () => {
  fc.assert(
    fc.property(sentQuery, (query) => {
      assert.equal(queryAfter({}, query).after, query);
    }),
  );
});

test('what is removed is gone in every spelling, and the others stay in their order', () => {
  fc.assert(
    fc.property(sentQuery, fc.array(queryName, { minLength: 1, maxLength: 4 }), (query, names) => {
      const read = names.map((name) => name.toWellFormed());
      const { pairs } = queryAfter({ removeQueryParameters: read }, query);
      assert.deepEqual(
        pairs,
        pairsOf(query).filter(([name]) => !read.includes(name)),
      );
      assert.deepEqual(pairs, queryAfter({ removeQueryParameters: read }, query).pairs, 'twice as once');
    }),
  );
});

test('what a client brings into a value is that one value, whatever it is, and sets no other parameter', () => {
  const config = {
    clearAll: true,
    addQueryParameters: [
      { name: 'tenant', value: "{#request.headers['X-Tenant'][0]}" },
      { name: 'mixed', value: "own-{#request.headers['X-Tenant'][0]}" },
    ],
  };
  fc.assert(
    fc.property(
      sentQuery,
      fc.string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' }),
      (query, tenant) => {
        const brought = tenant.replaceAll(/[\p{Cc}%+]/gu, '') || 'x';
        const { pairs } = queryAfter(config, query, { 'X-Tenant': brought });
        assert.deepEqual(pairs, [
          ['tenant', brought],
          ['mixed', `own-${brought}`],
        ]);
      },
    ),
  );
  const removing = {
    removeQueryParameters: ['admin'],
    addQueryParameters: [
      { name: 'a', value: '1&admin=own' },
      { name: 'b', value: "{#request.headers['X-Tenant'][0]}" },
    ],
  };
  const { after } = queryAfter(removing, 'admin=sent', { 'X-Tenant': 'x&admin=1' });
  assert.equal(after, 'a=1&b=x%26admin=1');
});

test('a parameter that is set has the place of the first of its name, or the last one where it is joined', () => {
  fc.assert(
    fc.property(sentQuery, fc.boolean(), (query, appendToExistingArray) => {
      const before = pairsOf(query);
      const { pairs } = queryAfter(
        { addQueryParameters: [{ name: 'new', value: 'v', appendToExistingArray }] },
        query,
      );
      assert.deepEqual(pairs, [...before.filter(([name]) => name !== 'new'), ['new', 'v']]);
      const [first] = before;
      if (first === undefined || first[0].includes('\u0000')) return;
      const again = queryAfter({ addQueryParameters: [{ name: 'new', value: 'w' }] }, `new=1&${query}&new=2`);
      assert.deepEqual(again.pairs, [['new', 'w'], ...before.filter(([name]) => name !== 'new')]);
    }),
  );
});

const token = fc.constantFrom(
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'X-A',
  'x-a',
  'X-B',
  'x-b',
  "!#$%&'*+-.^_`|~",
  'Set-Cookie',
  '0',
);
const headerValue = fc
  .string({ maxLength: 10, unit: fc.constantFrom('a', 'B', ' ', ',', ';', '=', '"') })
  .map((text) => text.trim());
const headerPairs = fc.array(fc.tuple(token, headerValue), { maxLength: 6 });

/** Headers behind a step, in their order. */
function headersAfter(config: object, sent: readonly (readonly [string, string])[]) {
  const call = startPolicy('transform-headers', config).call();
  for (const [name, value] of sent) call.request.headers.append(name, value);
  assert.equal(call.pass(), undefined);
  const after: (readonly [string, string])[] = [];
  call.request.headers.forEach((name, value) => void after.push([name.toLowerCase(), value]));
  return after;
}

const set = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([name, value]) => ({ name, value }));
const lower = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([name, value]) => [name.toLowerCase(), value]);

/** Lines of one name keep their order; which name stands before which other says nothing (RFC 9110 section 5.3). */
const byName = (pairs: readonly (readonly string[])[]) =>
  pairs.toSorted(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0));

test('headers: set, appended, then removed, then kept, whatever their case and their names', () => {
  fc.assert(
    fc.property(
      headerPairs,
      headerPairs,
      headerPairs,
      fc.array(token, { maxLength: 3 }),
      fc.array(token, { maxLength: 3 }),
      // oxlint-disable-next-line max-params -- one for each field of the policy
      (sent, addHeaders, appendHeaders, removeHeaders, whitelistHeaders) => {
        const after = headersAfter(
          { addHeaders: set(addHeaders), appendHeaders: set(appendHeaders), removeHeaders, whitelistHeaders },
          sent,
        );
        let expected = lower(sent);
        for (const [name = '', value = ''] of lower(addHeaders))
          expected = [...expected.filter(([each]) => each !== name), [name, value]];
        expected = [...expected, ...lower(appendHeaders)];
        const removed = removeHeaders.map((name) => name.toLowerCase());
        const kept = whitelistHeaders.map((name) => name.toLowerCase());
        expected = expected.filter(
          ([name = '']) => !removed.includes(name) && (kept.length === 0 || kept.includes(name)),
        );
        assert.deepEqual(byName(after), byName(expected));
      },
    ),
  );
});

test('headers: what is set twice is as once, and a step that names nothing changes nothing', () => {
  fc.assert(
    fc.property(headerPairs, headerPairs, (sent, addHeaders) => {
      assert.deepEqual(headersAfter({}, sent), lower(sent));
      const once = headersAfter({ addHeaders: set(addHeaders) }, sent);
      assert.deepEqual(byName(headersAfter({ addHeaders: set(addHeaders) }, once)), byName(once));
    }),
  );
});
