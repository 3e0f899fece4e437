import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Authorities } from './authority.ts';

const rows: readonly (readonly [authority: string, host: string | undefined])[] = [
  ['API.Acme.com:8080', 'api.acme.com'],
  // RFC 3986 section 3.2.2: a final dot says that the name is whole.
  ['api.acme.com.', 'api.acme.com'],
  ['api.acme.com.:443', 'api.acme.com'],
  ['api.acme.com..', 'api.acme.com.'],
  ['.', undefined],
  ['[2001:DB8::1]:80', '2001:db8::1'],
  ['[2001:db8::1].', undefined],
  ['', undefined],
  ['a:65536', undefined],
  ['u@h', undefined],
];

for (const [authority, host] of rows)
  test(`the host of ${JSON.stringify(authority)} is ${host ?? 'none'}, asked once and again`, () => {
    const authorities = new Authorities();
    assert.equal(authorities.hostOf(authority), host);
    assert.equal(authorities.hostOf(authority), host);
  });
