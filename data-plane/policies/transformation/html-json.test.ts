import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Fault } from '../../../proto/faults/fault.ts';
import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';

interface Asked {
  readonly jsonName: string;
  readonly selector: string;
  readonly array?: boolean;
}
const start = (...selectors: readonly Asked[]) =>
  startPolicy('html-json', { selectors }, { place: { phase: 'response', at: 'flows[0].response[0]' } });

async function made(html: string, ...selectors: readonly Asked[]): Promise<string | undefined> {
  const call = start(...selectors).call();
  const verdict = await call.answer({ headers: { 'Content-Type': 'text/html' }, body: html });
  if (verdict !== undefined) {
    assert.ok(verdict.kind === 'reject');
    assert.deepEqual([verdict.key, verdict.status], ['HTML_INVALID_PAYLOAD', 500]);
    return undefined;
  }
  assert.equal(call.response?.headers.get('content-type'), 'application/json; charset=UTF-8');
  return call.sent('response');
}

test('what selectors find becomes a member each, as a text or as a list', async () => {
  const html = '<title>T</title><ul><li class=x>a <b>b</b>\n c<li>d</ul><p>e</p><p>f<br>g</p>';
  for (const [selector, text, list] of [
    ['title', 'T', ['T']],
    ['li', 'a b c d', ['a b c', 'd']],
    ['li.x', 'a b c', ['a b c']],
    ['ul > li:nth-child(2)', 'd', ['d']],
    ['p', 'e f g', ['e', 'f g']],
    ['li, title', 'T a b c d', ['T', 'a b c', 'd']],
    ['h1', '', []],
  ] as const) {
    const both = await made(html, { jsonName: 't', selector }, { jsonName: 'l', selector, array: true });
    assert.equal(both, JSON.stringify({ t: text, l: list }), selector);
  }
});

test('scripts are no text of a page, comments neither, and names of prototypes are names', async () => {
  const html = '<div>a<!-- b --><i>c</i></div>';
  assert.equal(await made(html, { jsonName: '__proto__', selector: 'div' }), '{"__proto__":"ac"}');
});

test('a page is 20,000 elements, not one more, and 500 deep, not one more', async () => {
  const body = { jsonName: 'a', selector: 'title' };
  const flat = (count: number): string => '<p></p>'.repeat(count - 3);
  assert.equal(await made(flat(20_000), body), '{"a":""}');
  assert.equal(await made(flat(20_001), body), undefined);
  const deep = (levels: number): string => '<div>'.repeat(levels - 2);
  assert.equal(await made(deep(500), body), '{"a":""}');
  assert.equal(await made(deep(501), body), undefined);
});

test('what is taken of a page is 16 Mi characters, however often it stands in it', async () => {
  const nested = (levels: number): string => '<div>'.repeat(levels) + 'x'.repeat(50_000);
  const all = { jsonName: 'a', selector: 'div', array: true };
  assert.equal(await made(nested(300), all), JSON.stringify({ a: Array(300).fill('x'.repeat(50_000)) }));
  assert.equal(await made(nested(400), all), undefined);
});

test('a page in another charset is read in it, and one that is no text is refused', async () => {
  const call = start({ jsonName: 'a', selector: 'p' }).call();
  const headers = { 'Content-Type': 'text/html; charset=utf-16le' };
  assert.equal(
    await call.answer({ headers, body: Buffer.from('<p>x', 'utf16le').toString('latin1') }),
    undefined,
  );
  assert.equal(await call.sent('response'), '{"a":"x"}');
  const unknown = start({ jsonName: 'a', selector: 'p' }).call();
  const verdict = await unknown.answer({ headers: { 'Content-Type': 'text/html; charset=x' }, body: '<p>' });
  assert.ok(verdict?.kind === 'reject');
});

test('a selector that is none is refused when it is deployed, with its place', () => {
  assert.throws(
    () => start({ jsonName: 'a', selector: 'p' }, { jsonName: 'b', selector: 'p[' }),
    (error) =>
      error instanceof Fault &&
      error.details?.[0]?.path === 'flows[0].response[0].configuration.selectors[1].selector' &&
      /is no selector of CSS/.test(error.details[0].message),
  );
  assert.throws(() => start({ jsonName: 'a', selector: 'p:unheard' }), Fault);
  const { config } = catalog['html-json'];
  assert.ok(!config.safeParse({ selectors: [] }).success);
  assert.ok(!config.safeParse({ selectors: [{ jsonName: '', selector: 'p' }] }).success);
});
