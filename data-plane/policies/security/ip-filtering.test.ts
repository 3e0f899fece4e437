import assert from 'node:assert/strict';
import { test } from 'node:test';
import ipaddr from 'ipaddr.js';

import { catalog } from '../../../proto/policies/catalog.ts';
import { kitGround, namesBy, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { startDns } from '../../../test/kit/servers/dns.ts';
import type { PolicyNames } from '../policy.ts';

interface Wish {
  /** The address that the refusal names; default: where it comes from. */
  readonly told?: string;
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly names?: PolicyNames;
}

/** Whether a caller is let in. */
async function passes(
  config: object,
  { from = '192.0.2.7', headers = {}, names, told = from }: Wish = {},
): Promise<boolean> {
  const ground = { ...kitGround, ...(names !== undefined && { names }) };
  const call = startPolicy('ip-filtering', config, { host: { ground } }).call({
    request: { remoteAddress: from },
    headers,
  });
  const verdict = await call.pass();
  if (verdict === undefined) return true;
  assert.ok('kind' in verdict && verdict.kind === 'reject');
  assert.deepEqual(
    [verdict.status, verdict.key, verdict.message],
    [403, 'IP_FILTERING_FORBIDDEN', `The address ${told} is not let in here`],
  );
  return false;
}

test('a caller of the black list is refused, whatever the white list says, and one of neither where there is a white list', async () => {
  const config = {
    whitelistIps: ['192.0.2.0/24, 198.51.100.4'],
    blacklistIps: ['192.0.2.66', '192.0.2.128/25'],
  };
  const judged = async (from: string) => passes(config, { from });
  assert.equal(await judged('192.0.2.7'), true);
  assert.equal(await judged('198.51.100.4'), true);
  assert.equal(await judged('192.0.2.66'), false);
  assert.equal(await judged('192.0.2.127'), true);
  assert.equal(await judged('192.0.2.128'), false);
  assert.equal(await judged('203.0.113.1'), false);
  assert.equal(await passes({ blacklistIps: ['203.0.113.1'] }), true);
  assert.equal(await passes({}), true);
});

test('first and last address of a white range are no hosts unless isInclusiveHostCount; a black range takes all', async () => {
  const white = async (range: string, from: string, isInclusiveHostCount = false) =>
    passes({ whitelistIps: [range], isInclusiveHostCount }, { from });
  for (const edge of ['10.1.0.0', '10.1.255.255']) {
    assert.equal(await white('10.1.3.4/16', edge), false, edge);
    assert.equal(await white('10.1.3.4/16', edge, true), true, edge);
    assert.equal(await passes({ blacklistIps: ['10.1.3.4/16'] }, { from: edge }), false, edge);
  }
  for (const inside of ['10.1.0.1', '10.1.255.254', '10.1.2.0', '10.1.2.255'])
    assert.equal(await white('10.1.3.4/16', inside), true, inside);
  assert.equal(await white('10.1.0.0/16', '10.2.0.1'), false);
  assert.equal(await white('10.1.0.4/31', '10.1.0.5'), true);
  assert.equal(await white('10.1.0.4/32', '10.1.0.4'), true);
  assert.equal(await white('10.1.0.4', '10.1.0.4'), true);
  assert.equal(await white('0.0.0.0/0', '10.1.0.4'), true);
});

test('an address is the same in each spelling, of IPv6 and of an IPv4 address that IPv6 carries', async () => {
  const config = { blacklistIps: ['2001:db8::7', '192.0.2.66', '2001:db8:5::/48', '::ffff:192.0.2.67'] };
  const closed = [
    '2001:DB8:0:0::7',
    '::ffff:192.0.2.66',
    '::ffff:c000:242',
    '192.0.2.67',
    '2001:db8:5:ffff::1',
  ];
  for (const from of closed) assert.equal(await passes(config, { from }), false, from);
  for (const from of ['2001:db8::8', '::ffff:192.0.2.65', '2001:db8:6::'])
    assert.equal(await passes(config, { from }), true, from);
  assert.equal(await passes({ whitelistIps: ['fe80::1'] }, { from: 'fe80::1%eth0' }), true);
  const mapped = { blacklistIps: ['::ffff:192.0.2.64/122'] };
  assert.equal(await passes(mapped, { from: '192.0.2.65' }), false, 'a range of IPv6 that carries IPv4');
  assert.equal(await passes(mapped, { from: '192.0.2.128' }), true);
  for (const from of ['192.0.2.256', '192.0.2.066', '192.0.2', '192.0.2.1.'])
    assert.equal(
      await passes({ blacklistIps: ['198.51.100.1'] }, { from }),
      false,
      `nobody can read ${from}`,
    );
});

/** How `192.0.2.66` may come in the dress of IPv6. */
const dresses = [
  '::ffff:192.0.2.66',
  '::192.0.2.66',
  '64:ff9b::192.0.2.66',
  '64:ff9b::c000:242',
  '64:ff9b:1::192.0.2.66',
  '64:ff9b:1:c000:2:4200::',
  '64:ff9b:1:c0:0:242::',
  '64:ff9b:1:0:c0:2:4200:0',
  '2002:c000:242::1',
  '2001:0:cb00:7101:8000:63bf:3fff:fdbd',
  '2001:0:c000:242::',
  '2001:db8::5efe:192.0.2.66',
];

test('a black list closes an address also where a translator or a tunnel carries it; a white list opens it to nobody else', async () => {
  for (const from of dresses) {
    for (const entry of ['192.0.2.66', '192.0.2.64/28'])
      assert.equal(await passes({ blacklistIps: [entry] }, { from }), false, `${entry} ${from}`);
    assert.equal(await passes({ blacklistIps: ['192.0.2.67'] }, { from }), true, from);
    const isSame = from.startsWith('::ffff:');
    assert.equal(await passes({ whitelistIps: ['192.0.2.66'] }, { from }), isSame, from);
    const custom = {
      useCustomIPAddress: true,
      customIPAddress: "{#request.headers['Real-Ip']}",
      blacklistIps: ['192.0.2.66'],
    };
    const told = isSame ? '192.0.2.66' : ipaddr.parse(from.replace(/^::(?=192)/, '0:0:0:0:0:0:')).toString();
    assert.equal(await passes(custom, { headers: { 'Real-Ip': from }, told }), false, from);
    const hops = { matchAllFromXForwardedFor: true, blacklistIps: ['192.0.2.66'] };
    assert.equal(await passes(hops, { headers: { 'X-Forwarded-For': from } }), false, from);
  }
  assert.equal(await passes({ blacklistIps: ['64:ff9b::/96'] }, { from: dresses[2] ?? '' }), false);
  assert.equal(await passes({ whitelistIps: ['64:ff9b::/96'] }, { from: dresses[2] ?? '' }), true);
});

test('matchAllFromXForwardedFor judges every hop; what the caller may have written himself lets nobody in', async () => {
  const hops = (chain: string, from: string) => ({ from, headers: { 'X-Forwarded-For': chain } });
  const black = { matchAllFromXForwardedFor: true, blacklistIps: ['203.0.113.9'] };
  const chain = hops('203.0.113.9, 198.51.100.4, 10.0.0.1', '198.51.100.4');
  assert.equal(await passes(black, chain), false);
  assert.equal(await passes({ ...black, matchAllFromXForwardedFor: false }, chain), true);
  assert.equal(
    await passes(black, hops('unknown, 198.51.100.4', '198.51.100.4')),
    false,
    'nobody can read it',
  );
  assert.equal(await passes(black, { from: '203.0.113.9' }), false, 'without the header');
  const white = { matchAllFromXForwardedFor: true, whitelistIps: ['203.0.113.9'] };
  assert.equal(await passes(white, chain), false, 'he wrote it himself');
  assert.equal(await passes(white, hops('203.0.113.9:5678, 10.0.0.1', '203.0.113.9')), true);
  assert.equal(
    await passes({ ...white, whitelistIps: ['10.0.0.1'] }, chain),
    true,
    'the proxy that hands it on',
  );
});

test('an address of the definition takes the place of both; where it is none the caller is refused', async () => {
  const config = {
    useCustomIPAddress: true,
    customIPAddress: "{#request.headers['Real-Ip']}",
    matchAllFromXForwardedFor: true,
    blacklistIps: ['203.0.113.9'],
  };
  const judged = async (address?: string, told?: string) =>
    passes(config, { headers: address === undefined ? {} : { 'Real-Ip': address }, ...(told && { told }) });
  assert.equal(await judged('198.51.100.4'), true);
  assert.equal(await judged('203.0.113.9', '203.0.113.9'), false, 'the one that was judged is named');
  assert.equal(await judged('198.51.100.4, 203.0.113.9', '203.0.113.9'), false);
  assert.equal(await judged('somebody'), false);
  assert.equal(await judged(''), false);
  assert.equal(await judged(), false);
});

test('entries may hold expressions; one that fails, or comes to no address, refuses', async () => {
  const lists = (name: string) => ({ [name]: ["{#request.headers['Allowed']?.[0]}"] });
  const judged = async (name: string, Allowed?: string) =>
    passes(lists(name), { headers: Allowed === undefined ? {} : { Allowed } });
  assert.equal(await judged('whitelistIps', '198.51.100.4,192.0.2.7'), true);
  assert.equal(await judged('whitelistIps', '198.51.100.4'), false);
  assert.equal(await judged('blacklistIps', '198.51.100.4'), true);
  assert.equal(await judged('blacklistIps', '192.0.2.0/24'), false);
  for (const odd of ['1.2.3', '10.0.0.0/33', 'a b', '', undefined]) {
    assert.equal(await judged('whitelistIps', odd), false, odd);
    assert.equal(await judged('blacklistIps', odd), false, odd);
  }
});

test('a host name is asked of DNS, in the families of lookupIpVersion; one that nobody knows lets nobody in', async (t) => {
  const dns = await startDns(t);
  dns.zone.set('office.test', [
    { type: 'A', address: '192.0.2.7' },
    { type: 'AAAA', address: '2001:db8::7' },
  ]);
  const names = namesBy(dns.server);
  const white = async (from: string, lookupIpVersion = 'ALL') =>
    passes({ whitelistIps: ['nobody.test, office.test'], lookupIpVersion }, { from, names });
  assert.equal(await white('192.0.2.7'), true);
  assert.equal(await white('2001:db8::7'), true);
  assert.equal(await white('2001:db8::7', 'IPV4'), false);
  assert.equal(await white('2001:db8::7', 'IPV6'), true);
  assert.equal(await white('192.0.2.8'), false);
  const black = async (name: string, from: string) => passes({ blacklistIps: [name] }, { from, names });
  assert.equal(await black('office.test', '192.0.2.7'), false);
  assert.equal(await black('office.test', '192.0.2.8'), true);
  assert.equal(await black('nobody.test', '192.0.2.8'), false, 'nobody can say who that is');
  dns.fault = 'servfail';
  assert.equal(await black('away.test', '192.0.2.8'), false);
});

test('what is no address, range or name is refused with its path', () => {
  const { config } = catalog['ip-filtering'];
  const fault = (entry: string) => config.safeParse({ whitelistIps: [entry] }).error?.issues[0]?.path;
  for (const entry of [
    '',
    ' , ',
    '10.0.0.0/33',
    '::/129',
    '10.0.0',
    '1.2.3.4.5',
    '*.acme.com',
    'a b',
    '-',
    '010.0.0.1',
  ])
    assert.deepEqual(fault(entry), ['whitelistIps', 0], entry);
  for (const entry of ['10.0.0.0/32', '::/128', 'localhost', 'a-b.acme.com.', '10.0.0.1,10.0.0.2'])
    assert.equal(fault(entry), undefined, entry);
  const custom = config.safeParse({ useCustomIPAddress: true });
  assert.deepEqual(custom.error?.issues[0]?.path, ['customIPAddress']);
});
