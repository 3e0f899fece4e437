import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';

const xs = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"';
const xsdSchema = `<xs:schema ${xs}>
  <xs:element name="a"><xs:complexType><xs:sequence>
    <xs:element name="b" type="number" maxOccurs="3"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:simpleType name="number"><xs:restriction base="xs:int"><xs:maxInclusive value="9"/></xs:restriction></xs:simpleType>
</xs:schema>`;

async function judged(
  body: string,
  configuration: object = {},
  headers: Readonly<Record<string, string>> = {},
) {
  const call = startPolicy('xml-validation', { xsdSchema, ...configuration }).call({ body, headers });
  const verdict = await call.pass();
  const said = verdict?.kind === 'reject' ? [verdict.key, verdict.status, verdict.content?.body] : 'passes';
  return { said, call, type: verdict?.kind === 'reject' ? verdict.content?.type : undefined };
}
/** A machine that stands still for a second has the thread killed in between. */
async function passesSoon(): Promise<void> {
  for (let attempt = 0; attempt < 4; attempt += 1)
    if ((await judged('<a><b>1</b></a>')).said === 'passes') return;
  assert.fail('no body passes any more');
}
const refused = ['XML_VALIDATION_FAILED', 400, 'Bad Request'];

test('what fits passes, whatever its Content-Type; what does not, or is no XML, is refused in the words of the publisher', async () => {
  for (const body of ['<a><b>1</b></a>', '<?xml version="1.0"?><a><b>1</b><b>9</b></a>', ''])
    assert.equal((await judged(body)).said, 'passes', body);
  for (const body of [
    '<a><b>10</b></a>',
    '<a/>',
    '<c/>',
    '<a><b>1</b>',
    'text',
    '{"a":1}',
    `<a>${'<b>1</b>'.repeat(4)}</a>`,
  ])
    assert.deepEqual((await judged(body)).said, refused, body);
  const own = await judged('<c/>', { errorMessage: '<no>{#request.method}</no>' });
  assert.deepEqual([own.said[2], own.type], ['<no>GET</no>', 'application/xml']);
  const failing = await judged('<c/>', { errorMessage: "{#jsonPath(#request.content, '$.x')}" });
  assert.deepEqual(failing.said, refused);
  assert.deepEqual(failing.call.warnings, ['XML_VALIDATION_FAILED']);
});

test('a body is read in the encoding that its message says, else in its own; a compressed one is refused', async () => {
  const utf16 = '<?xml version="1.0" encoding="utf-16"?><a><b>1</b></a>';
  assert.equal((await judged(utf16, {}, { 'Content-Type': 'text/xml; charset=utf-8' })).said, 'passes');
  assert.deepEqual((await judged(utf16)).said, refused);
  assert.deepEqual((await judged('<a><b>1</b></a>', {}, { 'Content-Encoding': 'gzip' })).said, refused);
  assert.deepEqual(
    (await judged('<a><b>1</b></a>', {}, { 'Content-Type': 'text/xml; charset=none' })).said,
    refused,
  );
});

test('nothing of a document type is read: no file, no address, no billion laughs', async () => {
  const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join(
    '',
  );
  for (const type of [
    '<!ENTITY e SYSTEM "file:///etc/passwd">',
    '<!ENTITY e SYSTEM "http://169.254.169.254/">',
    '<!ENTITY % p SYSTEM "http://h/evil.dtd"> %p;',
    `<!ENTITY l0 "1">${laughs}<!ENTITY e "&l9;">`,
    '<!ENTITY e "1">',
  ])
    assert.deepEqual((await judged(`<!DOCTYPE a [${type}]><a><b>&e;</b></a>`)).said, refused, type);
  assert.deepEqual((await judged('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><b>1</b></a>')).said, refused);
  const located =
    '<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:noNamespaceSchemaLocation="http://h/x.xsd"><b>10</b></a>';
  assert.deepEqual((await judged(located)).said, refused);
});

test('a schema and a body that ask for too much end, and the next body is judged all the same', async () => {
  const many = (inner: string) =>
    `<xs:schema ${xs}><xs:element name="a"><xs:complexType>${inner}</xs:complexType></xs:element></xs:schema>`;
  const wide = Array(20).fill('<xs:element name="b" minOccurs="0" maxOccurs="100000"/>').join('');
  const bomb = many(`<xs:sequence maxOccurs="100000">${wide}</xs:sequence>`);
  assert.deepEqual((await judged('<a><b/></a>', { xsdSchema: bomb })).said, refused);
  await passesSoon();
  const deep = '<a>'.repeat(100_000);
  assert.deepEqual((await judged(deep)).said, refused);
  const slow = many(
    '<xs:attribute name="x"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="(a|a|aa)*(a|aa)*b"/></xs:restriction></xs:simpleType></xs:attribute>',
  );
  assert.deepEqual((await judged(`<a x="${'a'.repeat(5_000)}c"/>`, { xsdSchema: slow })).said, refused);
  await passesSoon();
});

test('past a hundred that wait, a body is answered with 503', async () => {
  const all = await Promise.all(Array.from({ length: 110 }, () => judged('<a><b>1</b></a>')));
  const keys = new Set(all.map(({ said }) => (said === 'passes' ? said : said[0])));
  assert.deepEqual(keys, new Set(['passes', 'XML_VALIDATION_UNAVAILABLE']));
  const busy = all.find(({ said }) => said !== 'passes');
  assert.equal(busy?.said[1], 503);
});

test('what a schema cannot say is refused when it is deployed, with its line; what shows later refuses each body', async () => {
  const { config } = catalog['xml-validation'];
  const whyNot = (xsd: string): string => {
    const [issue] = config.safeParse({ xsdSchema: xsd }).error?.issues ?? [];
    return `${issue?.path.join('.')}: ${issue?.message}`;
  };
  const schema = (inner: string) => `<xs:schema ${xs}>\n${inner}\n</xs:schema>`;
  assert.match(whyNot('<a/>'), /^xsdSchema: line 1: is no schema/);
  assert.match(whyNot('<a'), /^xsdSchema: is no XML/);
  assert.match(whyNot(`<!DOCTYPE a>${schema('')}`), /^xsdSchema: line 1: a document type is not read/);
  for (const word of ['include', 'import', 'redefine'])
    assert.match(
      whyNot(schema(`<xs:${word} schemaLocation="file:///etc/passwd"/>`)),
      /^xsdSchema: line 2: xs:\w+ reads another file/,
    );
  assert.match(
    whyNot(schema('<xs:element name="a" type="nope"/>')),
    /^xsdSchema: line 2: type "nope" is not in the schema/,
  );
  assert.match(
    whyNot(schema('<xs:element name="a" type="o:x" xmlns:o="urn:o"/>')),
    /is of another namespace/,
  );
  assert.match(whyNot(schema('<xs:assert test="1"/>')), /is of XSD 1\.1/);
  assert.match(whyNot('x'.repeat(262_145)), /^xsdSchema: /);
  const late = schema('<xs:element name="a" type="xs:nope"/>');
  assert.ok(config.safeParse({ xsdSchema: late }).success);
  assert.deepEqual((await judged('<a/>', { xsdSchema: late })).said, refused);
});
