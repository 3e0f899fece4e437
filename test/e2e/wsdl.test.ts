import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { soapDescription } from '../../proto/definition/wsdl/fixtures.ts';
import { newElementBudget, readElements, type XmlElement } from '../../proto/definition/wsdl/xml.ts';
import { environment, openOffice, planBody, type Office } from '../kit/control-plane/office.ts';
import { openCaller, startProvider } from '../kit/control-plane/polling.ts';
import { startLocalGateway } from '../kit/gateway/gateway.ts';
import { testDatabases } from '../kit/servers/databases.ts';

const imports = `${environment}/apis/_import/wsdl`;
const soaps = {
  'http://schemas.xmlsoap.org/soap/envelope/': '1.1',
  'http://www.w3.org/2003/05/soap-envelope': '1.2',
} as const;

/** What the service was asked. */
interface Asked {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly envelope: XmlElement;
}

const childOf = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((child) => child.name === name);

/** A service of SOAP: it reads envelopes by their namespaces, and answers with a fault what it does not know. */
async function startService(t: TestContext) {
  const asked: Asked[] = [];
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      if (incoming.headers['x-broken'] !== undefined)
        return void outgoing.writeHead(200, { 'content-type': 'text/html' }).end('<p>Sorry<br></p>');
      const envelope = readElements(Buffer.concat(parts).toString(), newElementBudget());
      asked.push({ url: incoming.url ?? '', headers: incoming.headers, envelope });
      const [status, body] = answerOf(envelope);
      outgoing.writeHead(status, { 'content-type': 'text/xml; charset=utf-8' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/services/orders.asmx`, asked };
}

function answerOf(envelope: XmlElement): readonly [status: number, body: string] {
  const soap = envelope.name.slice(1, envelope.name.lastIndexOf('}'));
  const wrapped = (body: string): string =>
    `<s:Envelope xmlns:s="${soap}"><s:Body>${body}</s:Body></s:Envelope>`;
  const order = childOf(childOf(envelope, `{${soap}}Body`), '{urn:orders}PlaceOrder');
  if (order === undefined) return [500, wrapped('<s:Fault><faultstring>no order</faultstring></s:Fault>')];
  const lines = order.children.filter(({ name }) => name === '{urn:orders}line');
  const pieces = lines.map((line) => Number(childOf(line, '{urn:orders:data}quantity')?.text));
  return [
    200,
    wrapped(
      `<PlaceOrderResponse xmlns="urn:orders"><id>${pieces.reduce((sum, each) => sum + each, 0)}</id></PlaceOrderResponse>`,
    ),
  ];
}

/** What an element says, in one line. */
const said = ({ name, attributes, text, children }: XmlElement): string => {
  const written = [...attributes].map(([key, value]) => ` ${key}=${value}`).join('');
  return `${name}${written}(${text}${children.map(said).join(' ')})`;
};

/** The imported API, with a plan without keys, as a gateway serves it. */
async function serve(t: TestContext, office: Office, id: string) {
  const api = `${environment}/apis/${id}`;
  const plan = await office.call('POST', `${api}/plans`, { body: planBody('KEY_LESS') });
  assert.equal((await office.call('POST', `${api}/plans/${String(plan.body['id'])}/_publish`)).status, 200);
  assert.equal((await office.call('POST', `${api}/deployments`)).status, 202);
  assert.equal((await office.call('POST', `${api}/_start`)).status, 204);
  const { body: definition } = await office.call('GET', `${api}/_export/definition`);
  return startLocalGateway(t, { apis: { orders: definition } });
}

async function open(t: TestContext) {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const outbound = openCaller();
  t.after(() => outbound.close());
  return openOffice(t, database, { outbound });
}

const json = { 'content-type': 'application/json' };
const order = {
  buyer: { name: '<Ann> & "co"', since: null },
  line: [
    { sku: 'a</ns2:sku><evil/>', quantity: 2, colour: 'red', note: ['one', "{#request.headers['X']}"] },
    { sku: 'b', quantity: 5 },
  ],
  total: '12345678.90',
};

for (const soap of ['1.1', '1.2'] as const)
  test(`a service of SOAP ${soap} is called as a REST API: JSON in, an envelope at the service, JSON back`, async (t) => {
    const [office, service] = [await open(t), await startService(t)];
    const made = await office.call('POST', imports, {
      body: {
        payload: soapDescription(service.url, { soap }),
        withPolicies: ['rest-to-soap'],
        withOASValidationPolicy: true,
        withDocumentation: true,
      },
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const gateway = await serve(t, office, String(made.body['id']));
    const send = (path: string, body?: object) =>
      gateway.call(`/services/orders.asmx${path}`, {
        method: 'POST',
        headers: json,
        body: body === undefined ? '' : JSON.stringify(body),
      });

    const placed = await send('/PlaceOrder', order);
    assert.equal(placed.status, 200, placed.text);
    assert.match(placed.headers['content-type'] ?? '', /^application\/json/);
    const answer = JSON.parse(placed.text) as Record<string, Record<string, Record<string, object>>>;
    assert.deepEqual(answer['s:Envelope']?.['s:Body']?.['PlaceOrderResponse'], {
      xmlns: 'urn:orders',
      id: 7,
    });
    const [asked] = service.asked;
    assert.ok(asked !== undefined);
    assert.equal(asked.url, '/services/orders.asmx');
    assert.equal(
      Object.entries(soaps).find(([, version]) => version === soap)?.[0],
      asked.envelope.name.slice(1, -'}Envelope'.length),
    );
    assert.deepEqual(
      [asked.headers['content-type'], asked.headers['soapaction']],
      soap === '1.1'
        ? ['text/xml', '"urn:orders/PlaceOrder"']
        : ['application/soap+xml; charset=utf-8; action="urn:orders/PlaceOrder"', undefined],
    );
    const d = '{urn:orders:data}';
    const o = '{urn:orders}';
    assert.equal(
      said(asked.envelope.children[0]?.children[0] ?? asked.envelope),
      `${o}PlaceOrder(${o}buyer(${d}name(<Ann> & "co") ${d}since {http://www.w3.org/2001/XMLSchema-instance}nil=true())` +
        ` ${o}line colour=red(${d}sku(a</ns2:sku><evil/>) ${d}quantity(2) ${d}note(one) ${d}note({#request.headers['X']}))` +
        ` ${o}line(${d}sku(b) ${d}quantity(5)) ${o}total(12345678.90))`,
    );

    const bare = await send('/Ping');
    assert.deepEqual([bare.status, /no order/.test(bare.text)], [500, true], bare.text);
    assert.match(said(service.asked[1]?.envelope ?? asked.envelope), /Body\(\{urn:orders\}Ping\(\)\)\)$/);
    const before = service.asked.length;
    for (const wrong of [
      { ...order, moon: 1 },
      { ...order, line: [{ sku: 'a', quantity: 0 }] },
      { line: [] },
    ])
      assert.equal((await send('/PlaceOrder', wrong)).status, 400, JSON.stringify(wrong));
    assert.equal((await send('/Nothing', {})).status, 400);
    assert.equal(service.asked.length, before);
    const broken = await gateway.call('/services/orders.asmx/Ping', {
      method: 'POST',
      headers: { ...json, 'X-Broken': 'yes' },
      body: '',
    });
    assert.deepEqual([broken.status, /no XML/.test(broken.text)], [502, true], broken.text);

    const pages = (await office.call('GET', `${environment}/apis/${String(made.body['id'])}/pages`)).body;
    const [page] = pages['pages'] as readonly { readonly id: string; readonly name: string }[];
    assert.equal(page?.name, 'OrderService (OpenAPI)');
    const kept = await office.call('GET', `${environment}/apis/${String(made.body['id'])}/pages/${page.id}`);
    assert.match(String(kept.body['content']), /"\/PlaceOrder"/);
    assert.doesNotMatch(String(kept.body['content']), /soap-envelope/);
  });

test('a description behind a URL is read with what it imports, by the client that asks URLs of tenants, and again without losing a plan', async (t) => {
  const [office, described] = [await open(t), await startProvider(t)];
  const split = soapDescription('http://backend.example/soap');
  const schema = /<xs:schema targetNamespace="urn:orders:data".*?<\/xs:schema>/s.exec(split)?.[0] ?? '';
  const texts: Readonly<Record<string, string>> = {
    '/in/orders.wsdl': split
      .replace(schema, '')
      .replace(
        '<xs:import namespace="urn:orders:data"/>',
        '<xs:import namespace="urn:orders:data" schemaLocation="../data.xsd"/>',
      ),
    '/data.xsd': schema.replace(
      '<xs:schema',
      '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:d="urn:orders:data"',
    ),
  };
  described.answer((url: string) => texts[url] ?? '');
  const body = { payload: `${described.url}/in/orders.wsdl`, type: 'URL', withPolicies: ['rest-to-soap'] };
  const made = await office.call('POST', imports, { body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.deepEqual(
    described.asked.map(({ url }) => url),
    ['/in/orders.wsdl', '/data.xsd'],
  );
  const api = `${environment}/apis/${String(made.body['id'])}`;
  const plan = await office.call('POST', `${api}/plans`, { body: planBody('KEY_LESS') });
  const dry = await office.call('PUT', `${api}/_import/wsdl?dryRun=true`, {
    body: { ...body, operations: ['Ping'] },
  });
  assert.match(JSON.stringify(dry.body['differences']), /PlaceOrder/);
  const again = await office.call('PUT', `${api}/_import/wsdl`, { body: { ...body, operations: ['Ping'] } });
  assert.deepEqual(
    [again.status, (again.body['flows'] as readonly object[]).length],
    [200, 1],
    JSON.stringify(again.body),
  );
  const plans = (await office.call('GET', `${api}/plans?statuses=STAGING`)).body['data'] as readonly {
    id: unknown;
  }[];
  assert.deepEqual(
    plans.map(({ id }) => id),
    [plan.body['id']],
  );
});

test('what would be fetched from elsewhere is refused, and nobody is asked', async (t) => {
  const [office, described] = [await open(t), await startProvider(t)];
  const importing = (location: string): string =>
    soapDescription('http://backend.example/soap').replace(
      '<xs:import namespace="urn:orders:data"/>',
      `<xs:import namespace="urn:orders:data" schemaLocation="${location}"/>`,
    );
  const refusals: readonly (readonly [body: object, told: RegExp])[] = [
    [{ payload: importing('file:///etc/passwd') }, /line 1\d: imports .*file:.*no URL of http/],
    [{ payload: importing('data.xsd') }, /imports .*data\.xsd.*import the description by its URL/],
    [{ payload: importing('http://169.254.169.254/latest') }, /may not be called/],
    [{ payload: 'file:///etc/passwd', type: 'URL' }, /must be an http or https URL/],
    [{ payload: '/etc/passwd', type: 'URL' }, /must be an http or https URL/],
    [{ payload: 'http://u:p@h/x', type: 'URL' }, /must be an http or https URL/],
    [
      { payload: '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>' },
      /a document type is not read/,
    ],
    [{ payload: soapDescription('file:///etc/passwd') }, /no URL of http or https; say in `target`/],
    [
      { payload: soapDescription('http://h/'), withPolicies: ['moon'] },
      /moon.* cannot be made of an operation/,
    ],
  ];
  for (const [body, told] of refusals) {
    const { status, body: answer } = await office.call('POST', imports, { body });
    assert.equal(status, 400, JSON.stringify(answer));
    assert.match(JSON.stringify(answer), told);
  }
  assert.deepEqual(described.asked, []);
});
