import assert from 'node:assert/strict';
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { columnsOf } from '../../control-plane/analytics/lake-columns.ts';
import { recordTables } from '../../proto/model/record-tables.ts';
import type { LandingKey } from '../../proto/wire/blobs.ts';
import { formatLandingKey } from '../../proto/wire/landing.ts';
import { sealParcel, sha256Of } from '../../proto/wire/parcel.ts';
import { callBridge } from '../kit/bridge/bridge-calls.ts';
import { enrolStranger } from '../kit/bridge/enrolled-strangers.ts';
import type { MemoryGateway } from '../kit/bridge/memory-repository.ts';
import { recordLine } from '../kit/control-plane/landing.ts';
import { eventually } from '../kit/eventually.ts';
import { startHybrid, type Hybrid } from '../kit/processes/hybrid.ts';
import { freePort, runIsthmus, startIsthmus } from '../kit/processes/processes.ts';
import { startUpstream } from '../kit/servers/upstream.ts';

/*
 * Somebody with the good credential of an enrolled gateway uploads what he likes through a real bridge, and somebody has copied a gateway's
 * folder, while that one enrols again. Every process is one of its own.
 */

const within = { timeoutMs: 60_000, everyMs: 100 };
const hourMs = 3_600_000;
const inherited = ['__proto__', 'constructor', 'toString'];

async function installation(t: TestContext) {
  const upstream = await startUpstream(t);
  const hybrid = await startHybrid(t, {
    database: 'sqlite',
    bucket: 'folder',
    isBorderStrict: false,
    gateways: 1,
  });
  const api = await hybrid.client.createApi({ path: '/real', target: upstream.url, security: 'KEY_LESS' });
  const [gateway = ''] = hybrid.gateways;
  let answered = 0;
  const ask = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) {
      const { status } = await fetch(`${gateway}/real/x`);
      assert.equal(status, 200);
      answered += 1;
    }
  };
  await eventually(async () => {
    const { status } = await fetch(`${gateway}/real/x`);
    if (status === 200) answered += 1;
    return status === 200;
  }, within);
  const counted = async (): Promise<number> => {
    const query = `from=${Date.now() - 24 * hourMs}&to=${Date.now() + hourMs}`;
    const path = `/v2/environments/DEFAULT/apis/${api.id}/analytics/requests-count?${query}`;
    return (await hybrid.client.call<{ total: number }>('GET', path)).total;
  };
  const isExact = async (besides = 0): Promise<boolean> =>
    eventually(async () => {
      const now = await counted();
      return now === answered + besides || Promise.reject(new Error(`${now} of ${answered} are counted`));
    }, within);
  return { upstream, hybrid, api, ask, isExact };
}

const spoolOf = (hybrid: Hybrid): string => {
  const [dir = ''] = globSync(join(hybrid.dir, 'gateway-0', 'spool', 'records', '*', '*'));
  return basename(dir);
};

/** Uploads as somebody who keeps to nothing but the door. */
async function upload(
  { hybrid, gateway }: { readonly hybrid: Hybrid; readonly gateway: MemoryGateway },
  lines: readonly string[],
  over: Partial<LandingKey> = {},
): Promise<number> {
  const { organization, fleet, environments } = gateway.identity.grant;
  const place = {
    stream: 'records' as const,
    organization,
    environment: environments[0] ?? '',
    fleet,
    gateway: gateway.identity.id,
    spool: 'ab'.repeat(16),
    first: 0,
    ...over,
  };
  const range = { ...place, last: over.last ?? place.first + lines.length - 1 };
  const bytes = sealParcel(range, zstdCompressSync(Buffer.from(lines.map((line) => `${line}\n`).join(''))));
  return put({ hybrid, gateway }, formatLandingKey({ ...range, hash8: sha256Of(bytes).slice(0, 8) }), bytes);
}

async function put(
  { hybrid, gateway }: { readonly hybrid: Hybrid; readonly gateway: MemoryGateway },
  key: string,
  bytes: Uint8Array,
): Promise<number> {
  const path = `/bridge/v1/uploads/${key}`;
  const answer = await callBridge({ url: hybrid.bridge, gateway }, path, {
    method: 'PUT',
    body: Buffer.from(bytes),
  });
  await answer.arrayBuffer();
  return answer.status;
}

test('whatever an enrolled gateway uploads, it speaks for nobody else, and no record of another one is lost or doubled', async (t) => {
  const { hybrid, api, ask, isExact } = await installation(t);
  const gateway = await enrolStranger(hybrid.client, hybrid.bridge);
  const by = { hybrid, gateway };
  const { id, grant } = gateway.identity;
  await ask(20);
  await isExact();
  const honest = spoolOf(hybrid);
  const { gateway: victim } = JSON.parse(
    readFileSync(join(hybrid.dir, 'gateway-0', 'identity.json'), 'utf8'),
  ) as { gateway: string };
  const [environment = ''] = grant.environments;
  const own = {
    org_id: grant.organization,
    env_id: environment,
    gateway_id: id,
    api_id: api.id,
    timestamp: Date.now(),
  };
  const line = (over: Record<string, unknown>): string => recordLine({ ...own, ...over });

  // Beside one good record of its own, everything that it may not say.
  const forged = [
    line({ gateway_id: victim }),
    line({ org_id: 'victim' }),
    line({ env_id: 'victim' }),
    line({ timestamp: Date.now() - 2 * hourMs }),
    line({ timestamp: Date.now() + 3 * hourMs }),
    line({ timestamp: 0 }),
    line({ type: 'gap', gateway_id: victim, spool: honest, first: 0, last: 19, dropped: 20 }),
    ...inherited.map((api_id) => line({ api_id })),
  ];
  assert.equal(await upload(by, [line({}), ...forged]), 201);
  // Names that every object has, in every column: those of its own API are its own to spoil.
  const odd = [...columnsOf(recordTables.requests).keys()].flatMap((name) =>
    inherited.map((value) => recordLine({ ...own, api_id: 'of nobody', [name]: value })),
  );
  assert.equal(await upload(by, odd, { spool: 'cd'.repeat(16) }), 201);
  // The spool of the other one, before what that one has still to say; and lies about offsets.
  assert.equal(
    await upload(
      by,
      Array.from({ length: 5_000 }, () => '{}'),
      { spool: honest },
    ),
    201,
  );
  await upload(by, [line({})], { spool: 'ef'.repeat(16), first: 0, last: Number.MAX_SAFE_INTEGER });
  await upload(by, [line({})], { spool: 'ef'.repeat(16), first: 5, last: 9 });
  // Names of others in the key.
  for (const over of [
    { gateway: victim },
    { environment: 'victim' },
    { organization: 'victim' },
    { fleet: 'victim' },
  ])
    assert.equal(await upload(by, [line({})], over), 403, JSON.stringify(over));
  // What the other one has landed, under a free range of its own, and in the same place.
  const [landed = ''] = globSync('landing/**/*.zst', { cwd: hybrid.blobDir }).filter((key) =>
    key.includes(victim),
  );
  const bytes = readFileSync(join(hybrid.blobDir, landed));
  assert.equal(await put(by, landed.replace(victim, id), bytes), 201);
  assert.equal(
    await put(by, landed.replace(victim, id).replace(/[^/]+-(?=[0-9a-f]{8}\.)/, '700-719-'), bytes),
    201,
  );
  assert.equal(await put(by, landed, bytes), 403);

  await ask(30);
  type Event = { readonly gateway: string; readonly kind: string; readonly detail: string };
  const told = async (): Promise<readonly string[]> => {
    const path = `/v2/organizations/DEFAULT/fleets/${grant.fleet}/events?perPage=100`;
    const { data } = await hybrid.client.call<{ data: readonly Event[] }>('GET', path);
    const ofRecords = data.filter(({ kind }) => kind.startsWith('records.'));
    assert.ok(ofRecords.every((event) => event.gateway === id));
    return ofRecords
      .map(
        ({ kind, detail }) =>
          `${kind} ${detail.replace(/^.*: /, '').replace(/ copy of .*/, ' copy of another')}`,
      )
      .toSorted();
  };
  await eventually(async () => (await told()).length >= 6, within);
  // Its one good record counts: it may speak of what it serves itself.
  await isExact(1);
  assert.deepEqual(await told(), [
    'records.quarantined it is a copy of another',
    'records.quarantined it is a copy of another',
    `records.quarantined it says that it has ${Number.MAX_SAFE_INTEGER + 1} lines`,
    'records.quarantined its lines are not as many as its key says',
    `records.refused ${odd.length - inherited.length * 2} of its records say what its gateway may not (tenant 6, gateway_id 3, api_id ${odd.length - inherited.length * 2})`,
    'records.refused 9 of its records say what its gateway may not (tenant 2, gateway_id 2, api_id 3, timestamp 2)',
  ]);
});

test('a gateway that enrols again loses and doubles nothing, and a copy of what it was can do nothing any more', async (t) => {
  const { hybrid, ask, isExact } = await installation(t);
  await ask(10);
  await isExact();
  // Recorded and not shipped when it dies and enrols again.
  await hybrid.kill('shipper-0');
  await ask(25);
  await hybrid.kill('gateway-0');
  const copied = join(hybrid.dir, 'copied');
  cpSync(join(hybrid.dir, 'gateway-0'), copied, { recursive: true });
  const token = async (): Promise<string> => {
    const fleets = await hybrid.client.call<{ data: { id: string }[] }>(
      'GET',
      '/v2/organizations/DEFAULT/fleets',
    );
    const path = `/v2/organizations/DEFAULT/fleets/${fleets.data[0]?.id}/enrolment-tokens`;
    return (
      await hybrid.client.call<{ token: string }>('POST', path, {
        body: { bridge: hybrid.bridge, usesMax: 1 },
      })
    ).token;
  };
  const file = join(hybrid.dir, 'gateway-0.yaml');
  await runIsthmus(t, ['enroll', '--config', file, '--token', await token()], { exitCode: 1 });
  await runIsthmus(t, ['enroll', '--config', file, '--token', await token(), '--replace']);
  await hybrid.start('gateway-0');
  await hybrid.start('shipper-0');
  await ask(15);
  await isExact();

  // The copy has keys, tickets and what was not shipped; it is nobody any more.
  const config = JSON.parse(readFileSync(file, 'utf8')) as object;
  const copyFile = join(hybrid.dir, 'copy.yaml');
  const shipperFile = join(hybrid.dir, 'copy-shipper.yaml');
  const [port, adminPort, shipperPort] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(
    copyFile,
    JSON.stringify({ ...config, dataDir: copied, listen: { port }, admin: { port: adminPort } }),
  );
  const shipperConfig = JSON.parse(readFileSync(join(hybrid.dir, 'shipper-0.yaml'), 'utf8')) as object;
  writeFileSync(
    shipperFile,
    JSON.stringify({ ...shipperConfig, dataDir: copied, admin: { port: shipperPort } }),
  );
  const refused = await runIsthmus(
    t,
    ['enroll', '--config', copyFile, '--token', await token(), '--replace'],
    {
      exitCode: 1,
    },
  ).catch((error: unknown) => String(error));
  assert.match(refused, /enrolled again already|^$/);
  const shipper = startIsthmus(t, ['shipper', '--config', shipperFile]);
  const copy = startIsthmus(t, ['gateway', '--config', copyFile]);
  await eventually(() => /revoked/.test(shipper.output()) && /revoked/.test(copy.output()), within);
  await ask(5);
  await isExact();
});
