import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import fc from 'fast-check';

import { readXml } from '../../../proto/expression/xml/document.ts';
import { catalog } from '../../../proto/policies/catalog.ts';
import { openPeer, startBackend } from '../../../test/kit/engine/raw-peer.ts';
import { apiDefinition, call, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import { XmlBytes } from './xml-bytes.ts';
import { levelsMax, nameCharsMax, namesCharsMax } from './xml-counts.ts';
import { doctypeCharsMax } from './xml-doctype.ts';
import { entityLevelsMax, expandedCharsMax } from './xml-entities.ts';
import { XmlScanner } from './xml-scanner.ts';

const xml = { 'Content-Type': 'application/xml' };
const unbounded = {
  maxElements: -1,
  maxDepth: -1,
  maxLength: -1,
  maxAttributesPerElement: -1,
  maxAttributeValueLength: -1,
  maxChildrenPerElement: -1,
  maxTextValueLength: -1,
  maxEntities: -1,
  maxEntityDepth: -1,
};

/** Error key of what is refused, `passes` for what goes on unchanged. */
async function verdictOf(
  configuration: object,
  body: string,
  headers: Readonly<Record<string, string>> = xml,
): Promise<string> {
  const asked = startPolicy('xml-threat-protection', { ...unbounded, ...configuration }).call({
    headers,
    body,
  });
  const verdict = await asked.pass();
  if (verdict !== undefined) return verdict.kind === 'reject' ? verdict.key : verdict.kind;
  assert.equal(await asked.sent('request'), body);
  return 'passes';
}

const nested = (elements: number): string => '<a>'.repeat(elements) + '</a>'.repeat(elements);
const children = (count: number): string => `<r>${'<a/>'.repeat(count)}</r>`;
/** Entities of which each stands for the one before, the first for a text. */
const chain = (levels: number): string => {
  const declared = Array.from({ length: levels }, (_, index) =>
    index === 0 ? '<!ENTITY e1 "x">' : `<!ENTITY e${index + 1} "&e${index};">`,
  );
  return `<!DOCTYPE a [${declared.join('')}]><a>&e${levels};</a>`;
};

const bounds: readonly (readonly [field: string, key: string, make: (size: number) => string])[] = [
  ['maxElements', 'XML_THREAT_MAX_ELEMENTS', (size) => children(size - 1)],
  ['maxDepth', 'XML_THREAT_MAX_DEPTH', (size) => nested(size + 1)],
  ['maxLength', 'XML_THREAT_MAX_LENGTH', (size) => `<a>${'x'.repeat(size - 7)}</a>`],
  [
    'maxAttributesPerElement',
    'XML_THREAT_MAX_ATTRIBUTES',
    (size) => `<a x="1"><b ${Array.from({ length: size }, (_, at) => `n${at}="1"`).join(' ')}/></a>`,
  ],
  [
    'maxAttributeValueLength',
    'XML_THREAT_MAX_ATTRIBUTE_VALUE_LENGTH',
    (size) => `<a b="${'é'.repeat(size - 1)}&#x3c;"/>`,
  ],
  ['maxChildrenPerElement', 'XML_THREAT_MAX_CHILD_ELEMENTS', children],
  [
    'maxTextValueLength',
    'XML_THREAT_MAX_TEXT_VALUE_LENGTH',
    (size) => `<a>x<b/>${'x'.repeat(size - 4)}<!-- none -->&lt;<?none?><![CDATA[]]]]>x</a>`,
  ],
  [
    'maxEntities',
    'XML_THREAT_MAX_ENTITIES',
    (size) => `<!DOCTYPE a [<!ENTITY e "x">]><a b="&e;">${'&e;'.repeat(size - 1)}&amp;&#65;</a>`,
  ],
  ['maxEntityDepth', 'XML_THREAT_MAX_ENTITY_DEPTH', chain],
];

for (const [field, key, make] of bounds)
  test(`${field}: a body at the bound passes, one more is refused by ${key}; -1 and null bound nothing`, async () => {
    assert.equal(await verdictOf({ [field]: 7 }, make(7)), 'passes', make(7));
    assert.equal(await verdictOf({ [field]: 7 }, make(8)), key, make(8));
    const many = field === 'maxEntityDepth' ? 300 : 5_000;
    for (const none of [-1, null]) assert.equal(await verdictOf({ [field]: none }, make(many)), 'passes');
  });

test('without a word of the configuration the bounds are those of the reference', () => {
  const { config } = catalog['xml-threat-protection'];
  assert.deepEqual(config.parse({}), {
    maxElements: 1_000,
    maxDepth: 100,
    maxLength: 1_000,
    maxAttributesPerElement: 100,
    maxAttributeValueLength: 100,
    maxChildrenPerElement: 100,
    maxTextValueLength: 100,
    maxEntities: 100,
    maxEntityDepth: 100,
    allowExternalEntities: false,
  });
});

test('entities that are declared count as well, and hidden elements, text and values count where they are used', async () => {
  const two = '<!DOCTYPE a [<!ENTITY e "x"><!ENTITY f "y">]><a/>';
  assert.equal(await verdictOf({ maxEntities: 2 }, two), 'passes');
  assert.equal(await verdictOf({ maxEntities: 1 }, two), 'XML_THREAT_MAX_ENTITIES');
  const hidden = (use: string) => `<!DOCTYPE a [<!ENTITY e "<b><c/><c/></b>"><!ENTITY t "xxxx">]>${use}`;
  assert.equal(await verdictOf({ maxElements: 4 }, hidden('<a>&e;</a>')), 'passes');
  assert.equal(await verdictOf({ maxElements: 3 }, hidden('<a>&e;</a>')), 'XML_THREAT_MAX_ELEMENTS');
  assert.equal(await verdictOf({ maxDepth: 1 }, hidden('<a>&e;</a>')), 'XML_THREAT_MAX_DEPTH');
  assert.equal(
    await verdictOf({ maxChildrenPerElement: 1 }, hidden('<a>&e;</a>')),
    'XML_THREAT_MAX_CHILD_ELEMENTS',
  );
  assert.equal(
    await verdictOf({ maxTextValueLength: 7 }, hidden('<a>&t;&t;</a>')),
    'XML_THREAT_MAX_TEXT_VALUE_LENGTH',
  );
  assert.equal(
    await verdictOf({ maxAttributeValueLength: 7 }, hidden('<a b="&t;&t;"/>')),
    'XML_THREAT_MAX_ATTRIBUTE_VALUE_LENGTH',
  );
});

test('whoever reaches for what is elsewhere is refused by name, however it is written', async () => {
  const reaching = [
    '<!DOCTYPE a SYSTEM "http://169.254.169.254/x.dtd"><a/>',
    '<!DOCTYPE a PUBLIC "-//x//y" \'http://h/x.dtd\'><a/>',
    '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>',
    '<!DOCTYPE a [<!ENTITY f PUBLIC "x" "expect://id">]><a/>',
    '<!DOCTYPE a [\n<!-- "]> -->\n<?p "]> ?><!ENTITY ok "]>"><!ENTITY\tf\nSYSTEM\r\'php://filter\' > ] ><a/>',
    '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://h/evil.dtd"> %p;]><a/>',
  ];
  for (const body of reaching)
    assert.equal(await verdictOf({}, body), 'XML_THREAT_EXTERNAL_ENTITY_FORBIDDEN', body);
  for (const body of reaching.slice(0, -1))
    assert.equal(await verdictOf({ allowExternalEntities: true }, body), 'passes', body);
  assert.equal(
    await verdictOf({ allowExternalEntities: true }, reaching.at(-1) ?? ''),
    'XML_THREAT_DETECTED',
  );
});

test('a billion laughs, a quadratic blow-up and a circle are refused by their bounds, and at once where there are none', async () => {
  const laughs = (levels: number): string => {
    const declared = Array.from({ length: levels }, (_, at) =>
      at === 0 ? '<!ENTITY l0 "ha">' : `<!ENTITY l${at} "${`&l${at - 1};`.repeat(10)}">`,
    );
    return `<!DOCTYPE a [${declared.join('')}]><a>&l${levels - 1};</a>`;
  };
  const bound = { maxEntities: 100, maxTextValueLength: -1 };
  assert.equal(await verdictOf(bound, laughs(10)), 'XML_THREAT_MAX_ENTITIES');
  assert.equal(await verdictOf({ maxEntityDepth: 4 }, laughs(10)), 'XML_THREAT_MAX_ENTITY_DEPTH');
  assert.equal(await verdictOf({}, laughs(10)), 'XML_THREAT_DETECTED');
  assert.equal(await verdictOf({}, laughs(4)), 'passes');
  const blowUp = (uses: number) =>
    `<!DOCTYPE a [<!ENTITY e "${'x'.repeat(32_768)}">]><a>${'&e;'.repeat(uses)}</a>`;
  assert.equal(await verdictOf({}, blowUp(expandedCharsMax / 32_768)), 'passes');
  assert.equal(await verdictOf({}, blowUp(expandedCharsMax / 32_768 + 1)), 'XML_THREAT_DETECTED');
  assert.equal(
    await verdictOf({}, '<!DOCTYPE a [<!ENTITY e "&f;"><!ENTITY f "&e;">]><a>&e;</a>'),
    'XML_THREAT_DETECTED',
  );
  assert.equal(await verdictOf({}, chain(entityLevelsMax)), 'passes');
  assert.equal(await verdictOf({}, chain(entityLevelsMax + 1)), 'XML_THREAT_DETECTED');
});

test('what entities hold has to be whole by itself; what only a document type can do to elements is refused', async () => {
  const within = (declarations: string, use: string) => `<!DOCTYPE a [${declarations}]>${use}`;
  for (const body of [
    within('<!ENTITY e "<b>">', '<a>&e;</b></a>'),
    within('<!ENTITY e "</a><a>">', '<a>&e;</a>'),
    within('<!ENTITY e "<b">', '<a>&e;/></a>'),
    within('<!ENTITY e "<!--">', '<a>&e;--></a>'),
    within('<!ENTITY e "&#60;b/>">', '<a c="&e;"/>'),
    within('<!ENTITY e "&x">', '<a/>'),
    within('<!ENTITY e "%p;">', '<a/>'),
    within('<!ENTITY e "1"><!ENTITY e "2">', '<a/>'),
    within('<!ENTITY lt "x">', '<a/>'),
    within('<!ENTITY % p "<!ENTITY e \'x\'>"> %p;', '<a>&e;</a>'),
    within(`<!ATTLIST a b CDATA "${'x'.repeat(100)}">`, '<a/>'),
    within('<!NOTATION n SYSTEM "x">', '<a/>'),
    within('<!ENTITY e SYSTEM "x" NDATA n>', '<a/>').replace('SYSTEM "x"', '"x"'),
    within('', '<a>&none;</a>'),
    `<a/>${within('', '')}`,
    within('', within('', '<a/>')),
    '<!DOCTYPE a [<a/>',
    '<!doctype a><a/>',
    '<!DOCTYPE a [<!-->]><a/>',
  ])
    assert.equal(await verdictOf({}, body), 'XML_THREAT_DETECTED', body);
  for (const body of [
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a [ ] ><a/>',
    within('<!ELEMENT a (#PCDATA|b)*>', '<a/>'),
    within(`<!ENTITY e '<b c="1"/>"'><!ENTITY q '"'>`, `<a d="&q;">&e;</a>`),
    within('<!ENTITY e "&#38;#60;">', '<a b="&e;">&e;</a>'),
  ])
    assert.equal(await verdictOf({}, body), 'passes', body);
  const long = (chars: number) => `<!DOCTYPE a [<!--${'x'.repeat(chars - '<!DOCTYPE'.length - 4)}-->]><a/>`;
  assert.equal(await verdictOf({}, long(doctypeCharsMax)), 'passes');
  assert.equal(await verdictOf({}, long(doctypeCharsMax + 9)), 'XML_THREAT_DETECTED');
});

test('bytes are read in the encoding in which whoever is behind reads them, or not at all', async () => {
  const scan = (bytes: Buffer, charsets: readonly string[] = []): string | undefined => {
    const reader = new XmlBytes(charsets);
    const scanner = new XmlScanner({ ...none, textMax: 1 });
    for (const piece of [...bytes].map((byte) => Buffer.from([byte]))) {
      const read = reader.read(piece);
      const threat = read === 'unreadable' ? read : scanner.read(read.text);
      if (threat !== undefined) return threat;
    }
    const read = reader.end();
    return read === 'unreadable' ? read : (scanner.read(read.text) ?? scanner.end());
  };
  const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
  const said = (encoding: string) => `<?xml version="1.0" encoding='${encoding}' standalone="yes" ?>`;
  assert.equal(scan(Buffer.from('<a>é</a>')), undefined);
  assert.equal(scan(Buffer.from('\ufeff<a>é</a>')), undefined);
  assert.equal(scan(Buffer.from('<a>é</a>', 'latin1')), 'unreadable');
  assert.equal(scan(Buffer.from(`${said('ISO-8859-1')}<a>é</a>`, 'latin1')), undefined);
  assert.equal(scan(Buffer.from('<a>é</a>', 'latin1'), ['iso-8859-1']), undefined);
  assert.equal(scan(utf16('<a>é</a>')), undefined);
  assert.equal(scan(utf16(`${said('UTF-16')}<a>éé</a>`)), 'text');
  assert.equal(scan(utf16('<a/>').swap16(), ['utf-16']), undefined);
  assert.equal(scan(Buffer.from('<a/>', 'utf16le')), 'syntax');
  assert.equal(scan(Buffer.from('<a/>', 'utf16le'), ['utf-16']), 'unreadable');
  for (const encoding of ['UTF-7', 'UTF-16', 'x', 'EBCDIC-CP-US'])
    assert.equal(scan(Buffer.from(`${said(encoding)}<a/>`)), 'unreadable', encoding);
  assert.equal(scan(Buffer.from(`${said('utf-8')}<a/>`), ['iso-8859-1']), 'unreadable');
  assert.equal(scan(Buffer.from('<?xml version="1.1"?><a/>')), 'unreadable');
  assert.equal(scan(Buffer.from(`<?xml version="1.0"${' '.repeat(300)}?><a/>`)), 'unreadable');
  assert.equal(scan(Buffer.from('<?xml-stylesheet?><a/>')), undefined);
  assert.equal(
    await verdictOf({}, '<a/>', { 'Content-Type': 'text/xml; Charset="UTF-16"' }),
    'XML_THREAT_DETECTED',
  );
});

const none = {
  elementsMax: undefined,
  depthMax: undefined,
  lengthMax: undefined,
  attributesMax: undefined,
  attributeValueMax: undefined,
  childrenMax: undefined,
  textMax: undefined,
  entitiesMax: undefined,
  entityDepthMax: undefined,
  allowsExternals: false,
};

/** What reading some text in some pieces comes to. */
function scanned(text: string, cuts: readonly number[] = []) {
  const scanner = new XmlScanner(none);
  let from = 0;
  for (const cut of [
    ...cuts.map((each) => each % (text.length + 1)).toSorted((a, b) => a - b),
    text.length,
  ]) {
    const threat = scanner.read(text.slice(from, cut));
    if (threat !== undefined) return threat;
    from = cut;
  }
  return scanner.end();
}

function isXml(text: string): boolean {
  try {
    readXml(text, 'plain');
    return true;
  } catch {
    return false;
  }
}

test('it takes what a reader of XML takes, wherever the pieces are cut', () => {
  const parts = Array.from('<>/="\'&;![]-?# \nabx').concat(
    ['<a>', '</a>', '<a/>', '<b c="1">', '</b>', '<!--', '-->', '<![CDATA[', ']]>', '<?p', '?>'],
    ['&lt;', '&#65;', '&#0;', '&#xD800;', '&none;', 'é', '\u0001', '\ufffe', '😀', ' c="1"', '-', ']'],
  );
  const odd = fc.array(fc.constantFrom(...parts), { maxLength: 12 }).map((made) => made.join(''));
  const whole = odd.map((inside) => `<a>${inside}</a>`);
  const tag = odd.map((inside) => `<a ${inside}/>`);
  const cuts = fc.array(fc.nat(200), { maxLength: 4 });
  fc.assert(
    fc.property(
      fc.oneof(odd, whole, tag),
      cuts,
      (text, at) => (scanned(text, at) === undefined) === isXml(text),
    ),
    { numRuns: 5_000 },
  );
  for (const text of [
    '<é:a.-1 _b="]]>" c=\'"\'>]] > ]]&gt;<![CDATA[<&]]]]><?x y?></é:a.-1>',
    ' <!-- - --><a\n/>\n<?p?><!---->',
  ])
    assert.deepEqual([scanned(text), isXml(text)], [undefined, true], text);
});

test('what it remembers is bounded where a configuration bounds nothing: levels and names', () => {
  assert.equal(scanned(nested(levelsMax)), undefined);
  assert.equal(scanned(nested(levelsMax + 1)), 'unbounded');
  assert.equal(scanned(`<${'a'.repeat(nameCharsMax)}/>`), undefined);
  assert.equal(scanned(`<${'a'.repeat(nameCharsMax + 1)}/>`), 'unbounded');
  const long = 'a'.repeat(nameCharsMax);
  const open = (levels: number) => `<${long}>`.repeat(levels) + `</${long}>`.repeat(levels);
  assert.equal(scanned(open(namesCharsMax / nameCharsMax)), undefined);
  assert.equal(scanned(open(namesCharsMax / nameCharsMax + 1)), 'unbounded');
  const attributes = (count: number) =>
    `<a ${Array.from({ length: count }, (_, at) => `${'b'.repeat(nameCharsMax - 6)}${100_000 + at}="" `).join('')}/>`;
  assert.equal(scanned(attributes(namesCharsMax / nameCharsMax)), undefined);
  assert.equal(scanned(attributes(namesCharsMax / nameCharsMax + 1)), 'unbounded');
});

test('who says no XML passes unread; a charset, capitals and a +xml type do not take a body out of its bounds', async () => {
  for (const type of ['text/plain', 'application/json', ''])
    assert.equal(
      await verdictOf({ maxDepth: 1 }, nested(9), type === '' ? {} : { 'Content-Type': type }),
      'passes',
    );
  for (const type of ['text/xml;charset=utf-8', 'Application/XML', 'application/soap+xml; action=x'])
    assert.equal(
      await verdictOf({ maxDepth: 1 }, nested(9), { 'Content-Type': type }),
      'XML_THREAT_MAX_DEPTH',
      type,
    );
});

async function startGateway(t: TestContext) {
  const backend = await startBackend(t);
  const configuration = { ...unbounded, maxDepth: 5 };
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', `http://127.0.0.1:${backend.port}`, {
        flows: [flow('/', { request: [['xml-threat-protection', configuration]] })],
      }),
    },
  });
  return { backend, port: gateway.port };
}

test('a long body is refused where it exceeds, with none of the rest awaited, and the backend has no whole request', async (t) => {
  const { backend, port } = await startGateway(t);
  const head =
    'POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: text/xml\r\nContent-Length: 104857600\r\n\r\n<a>';
  const client = await openPeer(t, { port, from: '127.0.0.1' }, head);
  const peer = (async () => backend.next())();
  client.write('<b/>'.repeat(50_000));
  const reached = await peer;
  await reached.until('<b/><b/>');
  client.write('<a>'.repeat(6));
  await client.until('Bad Request');
  assert.match(client.text, /^HTTP\/1\.1 400 /);
  await reached.ended;
  assert.doesNotMatch(reached.text, /<a><a>/);
});

test('nothing of a short body that is refused reaches the backend; one that passes keeps its length', async (t) => {
  const { backend, port } = await startGateway(t);
  const post = (body: string) => call(port, '/a', { method: 'POST', headers: xml, body });
  assert.deepEqual([(await post(nested(7))).status, (await post('<a>')).status], [400, 400]);
  const asked = post('<a/>');
  const peer = await backend.next();
  await peer.until('<a/>');
  assert.match(peer.text, /^content-length: 4\r$/im);
  peer.write('HTTP/1.1 204 X\r\n\r\n');
  assert.equal((await asked).status, 204);
});

test('a configuration that cannot be is refused with its path', () => {
  const { config } = catalog['xml-threat-protection'];
  const pathOf = (configuration: object): unknown =>
    config.safeParse(configuration).error?.issues[0]?.path.join('.');
  assert.equal(pathOf({ maxDepth: 1.5 }), 'maxDepth');
  assert.equal(pathOf({ maxLength: '5' }), 'maxLength');
  assert.equal(pathOf({ allowExternalEntities: 'yes' }), 'allowExternalEntities');
  assert.equal(pathOf({ maxdepth: 5 }), '');
});
