import assert from 'node:assert/strict';
import { test } from 'node:test';

import { z } from 'zod';

import { expressionScope } from '../../../test/kit/gateway/expression-scope.ts';
import { template } from '../../expression/template.ts';
import { Fault } from '../../faults/fault.ts';
import type { Json } from '../opened.ts';
import { documentsMax, type WsdlText } from './documents.ts';
import { soapDescription } from './fixtures.ts';
import { openApiOfWsdl, soapEnvelope, type WsdlWish } from './wsdl.ts';

interface Operation extends Json {
  readonly [soapEnvelope]: string;
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Json } } };
}

/** A description whose one operation takes an element of these children; `more` are other globals of its schema. */
function taking(type: string, more = '', attributes = 'elementFormDefault="qualified"'): string {
  return soapDescription('http://h/soap', {
    inside: `<wsdl:types><xs:schema targetNamespace="urn:orders" ${attributes}>${more}<xs:element name="PlaceOrder">${type}</xs:element><xs:element name="Ping" type="xs:string"/></xs:schema></wsdl:types>${messages}`,
  });
}
const messages = `<wsdl:message name="In"><wsdl:part name="p" element="t:PlaceOrder"/></wsdl:message><wsdl:message name="Ping"><wsdl:part name="p" element="t:Ping"/></wsdl:message>
  <wsdl:portType name="Orders"><wsdl:operation name="PlaceOrder"><wsdl:input message="t:In"/></wsdl:operation><wsdl:operation name="Ping"><wsdl:input message="t:Ping"/></wsdl:operation></wsdl:portType>`;
const sequence = (inside: string): string =>
  `<xs:complexType><xs:sequence>${inside}</xs:sequence></xs:complexType>`;

function operationsOf(
  text: string | readonly WsdlText[],
  wish: WsdlWish = {},
): Readonly<Record<string, Operation>> {
  const read = openApiOfWsdl(typeof text === 'string' ? [{ url: '', text }] : text, wish);
  assert.ok(read.kind === 'document');
  const paths = read.document['paths'] as Readonly<Record<string, { readonly post: Operation }>>;
  return Object.fromEntries(Object.entries(paths).map(([path, { post }]) => [path.slice(1), post]));
}

/** The element in the body of an envelope for what a client sends. */
function sent(operation: Operation | undefined, body: unknown): string {
  assert.ok(operation !== undefined);
  const scope = expressionScope();
  const request = { ...scope.request, content: Buffer.from(JSON.stringify(body)) };
  const made = template(z.string())
    .parse(operation[soapEnvelope])
    .render({ ...scope, request });
  assert.ok(made.kind === 'value', JSON.stringify(made));
  return /<soapenv:(?:Header|Body)>(.*)<\/soapenv:Body>/.exec(made.value)?.[1] ?? '';
}

const schemaOf = (operation: Operation | undefined): Json =>
  operation?.requestBody?.content['application/json'].schema ?? {};

function whyNot(text: string | readonly WsdlText[], wish: WsdlWish = {}): string {
  try {
    openApiOfWsdl(typeof text === 'string' ? [{ url: '', text }] : text, wish);
  } catch (error) {
    if (error instanceof Fault) return error.details.map(({ message }) => message).join('\n');
    throw error;
  }
  return '';
}

/** What stands in the body for `PlaceOrder` of these children. */
const placed = (description: string, body: unknown): string =>
  sent(operationsOf(description, { operations: ['PlaceOrder'] })['PlaceOrder'], body);

test('every construct of a schema has its place in JSON and in the envelope', () => {
  const rows: readonly (readonly [
    type: string,
    body: unknown,
    written: string,
    more?: string,
    attributes?: string,
  ])[] = [
    [sequence('<xs:element name="a" type="xs:int"/>'), { a: 7 }, '<ns1:a>7</ns1:a>'],
    // What is not sent is left out, whether or not the service wants it: it says best what is missing.
    [sequence('<xs:element name="a" type="xs:int"/>'), {}, ''],
    [sequence('<xs:element name="a" type="xs:boolean"/>'), { a: false }, '<a>false</a>', '', ''],
    [sequence('<xs:element name="a" form="unqualified" type="xs:int"/>'), { a: 1 }, '<a>1</a>'],
    [
      sequence('<xs:element name="a" type="xs:int" maxOccurs="5"/>'),
      { a: [1, 2] },
      '<ns1:a>1</ns1:a><ns1:a>2</ns1:a>',
    ],
    [sequence('<xs:element name="a" type="xs:int" maxOccurs="unbounded"/>'), { a: [] }, ''],
    [
      sequence('<xs:element ref="t:b" minOccurs="0"/>'),
      { b: 'x' },
      '<ns1:b>x</ns1:b>',
      '<xs:element name="b" type="xs:string"/>',
    ],
    [
      '<xs:complexType><xs:choice><xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:int"/></xs:choice></xs:complexType>',
      { b: 1 },
      '<ns1:b>1</ns1:b>',
    ],
    [
      '<xs:complexType><xs:all><xs:element name="a" type="xs:int"/></xs:all></xs:complexType>',
      { a: 1 },
      '<ns1:a>1</ns1:a>',
    ],
    [
      sequence('<xs:group ref="t:g"/>'),
      { a: 1 },
      '<ns1:a>1</ns1:a>',
      '<xs:group name="g"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence></xs:group>',
    ],
    [
      sequence('<xs:element name="a" type="t:Money"/>'),
      { a: { currency: 'EUR', content: '1.50' } },
      '<ns1:a currency="EUR">1.50</ns1:a>',
      '<xs:complexType name="Money"><xs:simpleContent><xs:extension base="xs:decimal"><xs:attributeGroup ref="t:g"/></xs:extension></xs:simpleContent></xs:complexType><xs:attributeGroup name="g"><xs:attribute name="currency"/></xs:attributeGroup>',
    ],
    [
      sequence(
        '<xs:element name="a"><xs:complexType><xs:sequence><xs:element name="b" minOccurs="0"><xs:complexType><xs:sequence><xs:element name="c" type="xs:int"/></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>',
      ),
      { a: { b: { c: 1 } } },
      '<ns1:a><ns1:b><ns1:c>1</ns1:c></ns1:b></ns1:a>',
    ],
    [
      sequence(
        '<xs:element name="a" maxOccurs="9"><xs:complexType><xs:sequence><xs:element name="b" maxOccurs="9"><xs:complexType><xs:attribute name="c"/></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>',
      ),
      { a: [{ b: [{ c: 1 }, {}] }, { b: [] }] },
      '<ns1:a><ns1:b c="1"></ns1:b><ns1:b></ns1:b></ns1:a><ns1:a></ns1:a>',
    ],
    [
      '<xs:complexType><xs:complexContent><xs:restriction base="t:B"><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence></xs:restriction></xs:complexContent></xs:complexType>',
      { a: 1, b: 2, c: 3 },
      '<ns1:a>1</ns1:a>',
      `<xs:complexType name="B"><xs:sequence><xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:int" minOccurs="0"/></xs:sequence><xs:attribute name="c"/></xs:complexType>`,
    ],
  ];
  for (const [type, body, written, more, attributes] of rows) {
    const whole = placed(taking(type, more, attributes), body);
    assert.match(whole, /^<ns1:PlaceOrder[^>]*>.*<\/ns1:PlaceOrder>$/, whole);
    assert.equal(whole.replace(/^<[^>]*>/, '').replace(/<[^>]*>$/, ''), written, type);
  }
  assert.equal(sent(operationsOf(taking(sequence('')))['Ping'], 'a<b'), '<ns1:Ping>a&lt;b</ns1:Ping>');
});

test('the JSON Schema of an operation says what its types do', () => {
  const simple = (base: string, facets: string): string =>
    sequence(
      `<xs:element name="a"><xs:simpleType><xs:restriction base="xs:${base}">${facets}</xs:restriction></xs:simpleType></xs:element>`,
    );
  const rows: readonly (readonly [type: string, schema: Json])[] = [
    [
      simple('string', '<xs:enumeration value="x"/><xs:enumeration value="y"/>'),
      { type: 'string', enum: ['x', 'y'] },
    ],
    [
      simple('string', '<xs:length value="3"/><xs:pattern value="[A-Z]+"/>'),
      { type: 'string', minLength: 3, maxLength: 3, pattern: '^(?:[A-Z]+)$' },
    ],
    [simple('string', String.raw`<xs:pattern value="\i\c*"/>`), { type: 'string' }],
    [
      simple('short', '<xs:minExclusive value="0"/>'),
      { type: 'integer', minimum: 0, maximum: 32_767, exclusiveMinimum: true },
    ],
    [simple('int', '<xs:enumeration value="1"/>'), { type: 'integer', enum: [1] }],
    [simple('dateTime', ''), { type: 'string' }],
  ];
  for (const [type, schema] of rows) {
    const { properties } = schemaOf(operationsOf(taking(type))['PlaceOrder']);
    assert.deepEqual(properties, { a: schema });
  }
});

test('a call of a procedure has an element of its own, a header stands in the header, and a schema without a namespace is of its includer', () => {
  const rpc = soapDescription('http://h/soap', {
    inside: `<wsdl:types><xs:schema targetNamespace="urn:orders"><xs:include schemaLocation="http://h/c.xsd"/><xs:element name="Session" type="t:Id"/></xs:schema></wsdl:types>
      <wsdl:message name="In"><wsdl:part name="id" type="t:Id"/><wsdl:part name="n" type="xs:int"/></wsdl:message><wsdl:message name="H"><wsdl:part name="h" element="t:Session"/></wsdl:message>
      <wsdl:portType name="Orders"><wsdl:operation name="Get"><wsdl:input message="t:In"/></wsdl:operation></wsdl:portType>`,
    bindings: `<wsdl:binding name="OrdersSoap" type="t:Orders"><s:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
      <wsdl:operation name="Get"><s:operation soapAction="urn:get"/><wsdl:input><s:header message="t:H" part="h" use="literal"/><s:body use="literal" namespace="urn:calls"/></wsdl:input></wsdl:operation></wsdl:binding>`,
  });
  const included =
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:simpleType name="Id"><xs:restriction base="Text"/></xs:simpleType><xs:simpleType name="Text"><xs:restriction base="xs:string"><xs:maxLength value="4"/></xs:restriction></xs:simpleType></xs:schema>';
  const first = openApiOfWsdl([{ url: '', text: rpc }], {});
  assert.deepEqual(first, { kind: 'needs', urls: ['http://h/c.xsd'] });
  const operation = operationsOf([
    { url: '', text: rpc },
    { url: 'http://h/c.xsd', text: included },
  ])['Get'];
  assert.equal(
    sent(operation, { soapHeader: { Session: 's' }, id: 'abc', n: 3 }),
    '<ns1:Session>s</ns1:Session></soapenv:Header><soapenv:Body><ns2:Get><id>abc</id><n>3</n></ns2:Get>',
  );
  assert.deepEqual((schemaOf(operation)['properties'] as Json)['id'], { type: 'string', maxLength: 4 });
});

test('what cannot be imported is refused with its line and what to do, of all operations at once', () => {
  const type = sequence('<xs:element name="a" type="t:Tree"/>');
  const tree = `<xs:complexType name="Tree"><xs:sequence><xs:element name="child" type="t:Tree" minOccurs="0"/></xs:sequence></xs:complexType>`;
  const service = (name: string): string =>
    `<wsdl:service name="${name}"><wsdl:port name="p" binding="t:OrdersSoap"><s:address location="http://h/${name}"/></wsdl:port></wsdl:service>`;
  const good = soapDescription('http://h/soap');
  const rows: readonly (readonly [description: string, told: RegExp, wish?: WsdlWish])[] = [
    ['no xml', /line 1: is no XML/],
    ['<a/>', /<a> is no description of WSDL 1\.1/],
    ['<description xmlns="http://www.w3.org/ns/wsdl"/>', /is of WSDL 2\.0; 1\.1 is read/],
    ['<!DOCTYPE x><x/>', /a document type is not read/],
    [taking(type, tree), /operation "PlaceOrder": line \d+: Tree holds itself/],
    [
      taking(sequence('<xs:element name="a" type="t:Moon"/>')),
      /there is no complexType Moon in the namespace "urn:orders"/,
    ],
    [taking(sequence('<xs:element name="a" type="q:Moon"/>')), /the prefix of "q:Moon" is not declared/],
    [taking(sequence('<xs:element name="a" type="xs:anyType"/>')), /anyType can hold anything/],
    [taking(sequence(`<xs:element name="a']" type="xs:int"/>`)), /is no name of XML/],
    [
      taking(sequence('<xs:element name="a" type="t:A"/>'), '<xs:complexType name="A" abstract="true"/>'),
      /the type A is abstract/,
    ],
    [
      taking(sequence('<xs:element name="a" type="xs:int"/><xs:element name="a" type="xs:int"/>')),
      /a stands for two things/,
    ],
    [
      taking(
        '<xs:complexType><xs:sequence maxOccurs="2"><xs:element name="a"/><xs:element name="b"/></xs:sequence></xs:complexType>',
      ),
      /repeat together/,
    ],
    [
      good.replaceAll('use="literal"', 'use="encoded"'),
      /"PlaceOrder": .*use="encoded"[^]*"Ping": .*use="encoded"/,
    ],
    [good.replace('urn:orders/PlaceOrder"', 'urn:{#x}"'), /its soapAction cannot stand in a header/],
    [good.replaceAll('"urn:orders"', '"urn:{#orders}"'), /a namespace with a brace/],
    [good.replace(/<wsdl:service.*<\/wsdl:service>/s, ''), /has no service/],
    [
      soapDescription('', { services: service('A') + service('B') }),
      /several services; say in `service` which one: A, B/,
    ],
    [
      soapDescription('', { services: service('A') + service('B') }),
      /has no service "C"; it has A, B/,
      { service: 'C' },
    ],
    [soapDescription('', { services: service('A') + service('B') }), /^$/, { service: 'B' }],
    [good, /has no operation "Moon"; it has PlaceOrder, Ping/, { operations: ['Moon'] }],
    [
      good.replaceAll('http://schemas.xmlsoap.org/soap/http', 'urn:jms'),
      /no port of SOAP 1\.1 or 1\.2 over HTTP/,
    ],
    [good, /^$/],
  ];
  for (const [description, told, wish] of rows)
    assert.match(whyNot(description, wish), told, description.slice(0, 2_000));
  assert.equal(whyNot(taking(type, tree), { operations: ['Ping'] }), '', 'the others can be imported');
});

test('every bound holds on both sides', () => {
  const fields = (count: number): string =>
    taking(
      sequence(Array.from({ length: count }, (_, n) => `<xs:element name="f${n}" type="xs:int"/>`).join('')),
    );
  assert.equal(whyNot(fields(999)), '');
  assert.match(whyNot(fields(1_000)), /more than 1000 elements and attributes/);
  const deep = (levels: number): string =>
    taking(
      '<xs:complexType><xs:sequence><xs:element name="a">'.repeat(levels) +
        '</xs:element></xs:sequence></xs:complexType>'.repeat(levels),
    );
  assert.equal(whyNot(deep(19)), '');
  assert.match(whyNot(deep(25)), /nested deeper than/);
  assert.match(whyNot('<a>'.repeat(65)), /elements are nested deeper than 64/);
  assert.match(whyNot(`<a>${'<b/>'.repeat(100_000)}</a>`), /more than 100000 elements/);
  const importing = (count: number): string =>
    soapDescription('http://h/soap').replace(
      '<xs:import namespace="urn:orders:data"/>',
      Array.from(
        { length: count },
        (_, n) => `<xs:import namespace="urn:${n}" schemaLocation="http://h/${n}"/>`,
      ).join(''),
    );
  assert.equal(openApiOfWsdl([{ url: '', text: importing(documentsMax - 1) }], {}).kind, 'needs');
  assert.match(whyNot(importing(documentsMax)), /imports more than 50 documents/);
  const wide = sequence(
    `<xs:element name="a" maxOccurs="2">${sequence(Array.from({ length: 200 }, (_, n) => `<xs:element name="f${n}" type="xs:int"/>`).join(''))}</xs:element>`,
  );
  assert.match(whyNot(taking(wide)), /makes an expression of more than 10000 characters/);
});

test('what is wrong with what is imported is told without the key in its URL', () => {
  const importing = (location: string): string =>
    soapDescription('http://h/soap').replace(
      '<xs:import namespace="urn:orders:data"/>',
      `<xs:import namespace="urn:a" schemaLocation="${location}"/>`,
    );
  const far = 'http://h/a.xsd?v=1&amp;access_token=planted';
  const url = far.replace('&amp;', '&');
  for (const [location, texts, told] of [
    [far, [{ url, text: 'no xml' }], /http:\/\/h\/a\.xsd\?v=1&access_token=.*line 1: is no XML/],
    [far, [{ url, text: '<a/>' }], /http:\/\/h\/a\.xsd\?v=1&access_token=.* is no schema/],
    ['a.xsd?access_token=planted', [], /imports .*a\.xsd\?access_token=.*which is no URL/],
    ['ftp://u:planted@h/a.xsd', [], /imports .*which is no URL/],
  ] as const) {
    const refused = (error: unknown): boolean => {
      const said = JSON.stringify(error instanceof Fault ? error.details : error);
      assert.match(said, told);
      assert.doesNotMatch(said, /planted/);
      return true;
    };
    assert.throws(() => openApiOfWsdl([{ url: '', text: importing(location) }, ...texts], {}), refused);
  }
});
