import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secretShapes, shapeSecret, shapeShown } from '../../../test/kit/control-plane/secret-shapes.ts';
import { secretsIn } from './draft-secrets.ts';

const shownOf = (content: string): string =>
  secretsIn(content)
    .toReversed()
    .reduce((so, { start, end }) => `${so.slice(0, start)}MASK${so.slice(end)}`, content);

test('a draft that is JSON shows no secret of any shape, and all that is none', () => {
  for (const [what, shape] of Object.entries(secretShapes)) {
    const content = JSON.stringify({ flows: [{ request: [{ policy: 'not-here', configuration: shape }] }] });
    const shown = shownOf(content);
    assert.ok(!shown.includes(shapeSecret), `${what}: ${shown}`);
    assert.equal(shown.split(shapeShown).length, content.split(shapeShown).length, what);
    assert.doesNotThrow(() => JSON.parse(shown), what);
  }
});

const secret = shapeSecret;
const shown = shapeShown;

test('a draft that is YAML, or JSON that is none, shows none of what its lines say', () => {
  const yaml = `
a: jdbc:postgresql://host/db?user=u&password=${secret}
b: "jdbc:mysql://user:${secret}@host/db"
basicAuth: ${secret}
pass: ${secret}
bearer: '${secret}'
proxy:
  host: user:${secret}@proxy.example
  port: ${shown}
auth: user:${secret}
urls:
  - https:user:${secret}@host
  - 'https://host/?api_key=${secret}'
  - https://host/?page=${shown}
headers:
  - Name: Authorization
    Value: ${secret}
  - headerName: X-Api-Key
    headerValue: ${secret}
  - Name: Accept
    Value: ${shown}
lines:
  - "Authorization: Bearer ${secret}"
  - "Accept: ${shown}"
payload: '{"password":"${secret}"}'
store: AccountName=a;AccountKey=${secret};More=b
`;
  const masked = shownOf(yaml);
  assert.ok(!masked.includes(secret), masked);
  assert.equal(masked.split(shown).length, yaml.split(shown).length, masked);
  const json = `{
  "url": "jdbc:sqlserver://host;password=${secret}",
  "other": "${shown}",
  "proxy": { "host": "${shown}" },
  "host": "user:${secret}@proxy",
  "more": `;
  const cut = shownOf(json);
  assert.ok(!cut.includes(secret), cut);
  assert.equal(cut.split(shown).length, json.split(shown).length, cut);
});
