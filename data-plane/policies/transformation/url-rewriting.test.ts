import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';

const id = 'url-rewriting';
const base = { fromRegex: 'http://in/([a-z]+)', toReplacement: 'https://out/{#group[0]}' };

async function answered(configuration: object, answer: { headers?: Record<string, string>; body?: string }) {
  const call = startPolicy(id, { ...base, ...configuration }, { place: { phase: 'response' } }).call();
  const verdict = await call.answer(answer);
  const headers: string[] = [];
  call.response?.headers.forEach((name, value) => headers.push(`${name}: ${value}`));
  const key = verdict !== undefined && 'key' in verdict ? [verdict.key, verdict.status] : undefined;
  return { key, headers, body: await call.sent('response'), warnings: call.warnings.join() };
}

test('every match in headers and body is replaced, with its groups', async () => {
  const both = {
    headers: { Location: 'http://in/a', 'X-Other': 'http://elsewhere/a' },
    body: 'http://in/b, http://in/c!',
  };
  const made = await answered({}, both);
  assert.deepEqual(made.headers, ['X-Other: http://elsewhere/a', 'Location: https://out/a']);
  assert.equal(made.body, 'https://out/b, https://out/c!');
  const headersAlone = await answered({ rewriteResponseBody: false }, both);
  assert.deepEqual([headersAlone.body, headersAlone.headers[1]], [both.body, 'Location: https://out/a']);
  const bodyAlone = await answered({ rewriteResponseHeaders: false }, both);
  assert.deepEqual([bodyAlone.body, bodyAlone.headers[0]], [made.body, 'Location: http://in/a']);
  const named = await answered(
    { fromRegex: 'http://(?<host>[a-z]+)/', toReplacement: "/{#groupName['host']}/{#response.status}/" },
    { body: 'http://in/x' },
  );
  assert.equal(named.body, '/in/200/x');
});

test('what does not match, is no text, or is packed in what nobody knows stays byte by byte', async () => {
  assert.equal((await answered({}, { body: 'nothing here' })).body, 'nothing here');
  assert.equal((await answered({}, {})).body, '');
  const packed = { headers: { 'Content-Encoding': 'own' }, body: 'http://in/a' };
  assert.equal((await answered({}, packed)).body, 'http://in/a');
  const unknown = { headers: { 'Content-Type': 'text/plain; charset=own' }, body: 'http://in/a' };
  assert.equal((await answered({}, unknown)).body, 'http://in/a');
});

test('a body is UTF-8 when it was rewritten', async () => {
  const latin = { headers: { 'Content-Type': 'text/html; charset=iso-8859-1; a=b' }, body: 'http://in/a' };
  assert.deepEqual((await answered({}, latin)).headers, ['Content-Type: text/html; charset=utf-8; a=b']);
});

test('a replacement that comes to nothing, breaks out of its header, or grows without end answers 500', async () => {
  const failure = ['URL_REWRITING_FAILURE', 500];
  const nothing = await answered({ toReplacement: "{#response.headers['X-None']}" }, { body: 'http://in/a' });
  assert.deepEqual([nothing.key, nothing.warnings], [failure, 'URL_REWRITING_FAILURE']);
  const breaking = await answered({ toReplacement: 'a\r\nX-A: 1' }, { headers: { Location: 'http://in/a' } });
  assert.deepEqual(breaking.key, failure);
  const growing = { fromRegex: 'a', toReplacement: 'x'.repeat(8_192) };
  assert.equal((await answered(growing, { body: 'a'.repeat(2_048) })).key, undefined);
  assert.deepEqual((await answered(growing, { body: 'a'.repeat(2_049) })).key, failure);
});

test('patterns that are none, or look around, are refused by their path', () => {
  const refused = (configuration: object): string =>
    catalog[id].config
      .safeParse({ ...base, ...configuration })
      .error?.issues.map(({ path }) => path.join('.'))
      .join() ?? '';
  assert.equal(refused({}), '');
  for (const fromRegex of ['(', '(?=a)', 'a'.repeat(1_001)])
    assert.match(refused({ fromRegex }), /^fromRegex/);
  assert.equal(refused({ toReplacement: '{#nope}' }), 'toReplacement');
});
