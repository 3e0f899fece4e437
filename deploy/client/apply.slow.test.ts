import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { kindOf, kinds } from './kinds.ts';
import type { Fields } from './objects.ts';
import { makeWords } from '../../test/kit/control-plane/words.ts';
import { openCommandScene } from '../../test/kit/processes/command-scene.ts';

const login = (url: string) => ['login', '--url', url, '--user', 'admin'];

/** A control plane with an API and one of each kind that files make, and hands that write files and run commands. */
async function openFilledScene(t: TestContext) {
  const scene = await openCommandScene(t);
  const { id } = await scene.office.deployedApi('/orders');
  const write = (name: string, text: string) => writeFileSync(join(scene.dir, name), text);
  await scene.run(login(scene.url));
  return { ...scene, id, write };
}

const objects = `
kind: application
name: shop
description: of the shop
---
kind: plan
definitionVersion: V4
name: gold
security: { type: API_KEY }
mode: STANDARD
validation: AUTO
status: PUBLISHED
---
kind: page
name: Home
type: MARKDOWN
content: '# Hello'
---
kind: dictionary
name: Shops
type: MANUAL
properties: { north: Tromsø, south: Palermo }
---
kind: shared-policy-group
name: Common
apiType: PROXY
phase: REQUEST
steps: [{ name: head, policy: transform-headers, enabled: true, configuration: { addHeaders: [{ name: a, value: b }] } }]
---
kind: role
scope: API
name: WATCHER
permissions: { DEFINITION: [R], ANALYTICS: [R] }
---
kind: group
name: Weather people
---
kind: category
name: Money
---
kind: environment
name: Second
hrids: [two]
---
kind: fleet
name: plant
environments: [DEFAULT]
`;

/** Every kind that a file may be of, with the name by which one of it is described. */
const described: readonly (readonly string[])[] = [
  ['application', 'shop'],
  ['plan', 'gold', '--api', 'api /orders'],
  ['page', 'Home', '--api', 'api /orders'],
  ['dictionary', 'Shops'],
  ['shared-policy-group', 'Common'],
  ['role', 'WATCHER', '--scope', 'API'],
  ['group', 'Weather people'],
  ['category', 'Money'],
  ['environment', 'Second'],
  ['fleet', 'plant'],
  ['user', 'admin'],
  ['api', 'api /orders'],
];

test('the key of a subscription, which nobody is shown again, is what create prints', async (t) => {
  const { run, write, office, id } = await openFilledScene(t);
  write('objects.yaml', objects);
  write('subscription.yaml', 'kind: subscription\nplan: gold\napplication: shop\n');
  write('silver.yaml', objects.split('---')[1]?.replace('gold', 'silver') ?? '');
  write('second.yaml', 'kind: subscription\nplan: silver\napplication: shop\n');
  const [made, created, , second, listed, unknown] = await run(
    ['create', '-f', 'objects.yaml', '--api', 'api /orders'],
    ['create', '-f', 'subscription.yaml', '--api', 'api /orders'],
    ['create', '-f', 'silver.yaml', '--api', 'api /orders'],
    ['apply', '-f', 'second.yaml', '--api', 'api /orders', '--json'],
    ['get', 'subscriptions', '--api', 'api /orders'],
    ['create', '-f', 'subscription.yaml', '--api', 'nowhere'],
  );
  assert.equal(made?.code, 0, made?.said);
  const { data } = (await office.call('GET', `/management/v2/environments/DEFAULT/apis/${id}/subscriptions`))
    .body as { readonly data: readonly { readonly id: string }[] };
  assert.equal(data.length, 2);
  assert.match(created?.said ?? '', /subscription .+ created\n +its key, shown only here:\n[\w-]{20,}\n/);
  assert.match(second?.said ?? '', /"shownOnce": "[\w-]{20,}"/);
  assert.match(listed?.said ?? '', /ACCEPTED +gold +shop/);
  assert.match(unknown?.said ?? '', /There is no api "nowhere"/);
});

test('apply of what describe gave changes nothing, of every kind, and a dry run says so', async (t) => {
  const { run, write, office } = await openFilledScene(t);
  write('objects.yaml', objects);
  const [made] = await run(['create', '-f', 'objects.yaml', '--api', 'api /orders']);
  assert.equal(made?.code, 0, made?.said);
  const texts = await run(...described.map((words) => ['describe', ...words]));
  texts.forEach(({ said }, index) => write(`${index}.yaml`, said));
  const audited = async () =>
    (await office.call('GET', '/management/organizations/DEFAULT/audit?size=100')).text;
  const before = await audited();
  for (const dry of [['--dry-run'], []]) {
    const ends = await run(
      ...described.map((words, index) => ['apply', '-f', `${index}.yaml`, ...words.slice(2), ...dry]),
    );
    ends.forEach(({ said }, index) =>
      assert.match(said, /^[\w-]+ .+ unchanged\n$/, `${described[index]?.join(' ')}: ${said}`),
    );
  }
  assert.equal(await audited(), before);
});

/** As {@link described}, but that a subscription, which has no name, is called by its key. */
const listed: readonly (readonly string[])[] = [
  ...new Map(described.map(([kind = '', , ...parent]) => [kind, [kind, ...parent]] as const)).values(),
  ['subscription', '--api', 'api /orders'],
  ['entrypoint'],
];

test('apply of what get gave changes nothing, of every kind that files make', async (t) => {
  const { run, write, office } = await openFilledScene(t);
  await makeWords(office, { tags: ['internal'] });
  write('objects.yaml', objects);
  write('more.yaml', 'kind: subscription\nplan: gold\napplication: shop\n');
  write(
    'entrypoint.yaml',
    'kind: entrypoint\nvalue: https://api.example.com\ntarget: HTTP\ntags: [internal]\n',
  );
  const made = await run(
    ['create', '-f', 'objects.yaml', '--api', 'api /orders'],
    ['create', '-f', 'more.yaml', '--api', 'api /orders'],
    ['create', '-f', 'entrypoint.yaml'],
  );
  for (const { code, said } of made) assert.equal(code, 0, said);
  const kindsHere = kinds.filter(({ create }) => create !== undefined).map(({ name }) => name);
  assert.deepEqual(listed.map(([kind = '']) => kind).toSorted(), kindsHere.toSorted());
  const whole = await run(...listed.map((words) => ['get', ...words, '--json']));
  const rows = whole.map(({ said }) => JSON.parse(said) as readonly Fields[]);
  const ones = await run(
    ...listed.flatMap(([kind = '', ...parent], index) =>
      (rows[index] ?? []).map((row) => [
        'describe',
        kind,
        String(row[kindOf(kind).idField ?? 'id']),
        ...parent,
        '--json',
      ]),
    ),
  );
  // Of users it says no rights, and of APIs not whether there is a draft: neither is of a file.
  const ofFiles = (all: readonly (Fields | string)[]) =>
    all
      .filter((one) => typeof one === 'string' || one['kind'] !== 'user')
      .map((one) => (typeof one === 'string' ? one : { ...one, hasDraft: undefined }));
  assert.deepEqual(
    ofFiles(rows.flat()),
    ofFiles(ones.map(({ said, code }) => (code === 0 ? (JSON.parse(said) as Fields) : said))),
    'a list for programs says all of each',
  );
  const audited = async () =>
    (await office.call('GET', '/management/organizations/DEFAULT/audit?size=100')).text;
  const before = await audited();
  for (const form of ['yaml', 'json']) {
    const texts = await run(...listed.map((words) => ['get', ...words, '--output', form]));
    texts.forEach(({ code, said }, index) => {
      assert.equal(code, 0, said);
      write(`${index}.${form}`, said);
    });
    const ends = await run(
      ...listed.map((words, index) => ['apply', '-f', `${index}.${form}`, ...words.slice(1)]),
    );
    ends.forEach(({ said }, index) =>
      assert.match(said, /^([\w-]+ .+ unchanged\n)+$/, `${listed[index]?.join(' ')}: ${said}`),
    );
  }
  assert.equal(await audited(), before);
});

test('what a file says replaces what is there, field by field; what cannot be written is told and what it leaves out stays', async (t) => {
  const { run, write } = await openFilledScene(t);
  write('objects.yaml', objects);
  write('fewer.yaml', 'kind: dictionary\nname: Shops\nproperties: { north: Oslo }\n');
  write('state.yaml', 'kind: application\nname: shop\nstatus: ARCHIVED\n');
  write('both.yaml', 'kind: application\nname: shop\nstatus: ARCHIVED\ndescription: new\n');
  const [, dry, changed, shown, state, both, kept] = await run(
    ['create', '-f', 'objects.yaml', '--api', 'api /orders'],
    ['apply', '-f', 'fewer.yaml', '--dry-run'],
    ['apply', '-f', 'fewer.yaml'],
    ['describe', 'dictionary', 'Shops'],
    ['apply', '-f', 'state.yaml'],
    ['apply', '-f', 'both.yaml', '--json'],
    ['describe', 'app', 'shop'],
  );
  assert.match(dry?.said ?? '', /would be changed\n +properties\n/);
  assert.match(changed?.said ?? '', /Shops .+ changed\n +properties\n/);
  assert.match(shown?.said ?? '', /type: MANUAL[^]*properties:\n {2}north: Oslo\n$/);
  assert.match(state?.said ?? '', /shop .+ unchanged\n +not as the file says.*: status\n/);
  assert.match(both?.said ?? '', /"effect": "changed"[^]*"description"[^]*"otherwise": \[\s+"status"/);
  assert.match(kept?.said ?? '', /description: new/);
});

test('a plan becomes what its file says, and where no call does that nothing is written', async (t) => {
  const { run, write } = await openFilledScene(t);
  const plan = (status: string, description: string) =>
    `kind: plan\napi: api /orders\ndefinitionVersion: V4\nname: gold\nsecurity: { type: API_KEY }\nmode: STANDARD\nstatus: ${status}\ndescription: ${description}\n`;
  write('staging.yaml', plan('STAGING', 'one'));
  write('published.yaml', plan('PUBLISHED', 'two'));
  write('back.yaml', plan('STAGING', 'three'));
  const [, published, again, back, shown] = await run(
    ['create', '-f', 'staging.yaml'],
    ['apply', '-f', 'published.yaml', '--deploy'],
    ['apply', '-f', 'published.yaml', '--deploy'],
    ['apply', '-f', 'back.yaml'],
    ['describe', 'plan', 'gold', '--api', 'api /orders'],
  );
  assert.match(published?.said ?? '', /gold .+ changed and deployed\n +status\n +description\n/);
  assert.match(again?.said ?? '', /gold .+ unchanged\n$/);
  assert.match(back?.said ?? '', /No plan becomes STAGING.*PUBLISHED, DEPRECATED, CLOSED/s);
  assert.match(shown?.said ?? '', /description: two[^]*status: PUBLISHED/);
});

test('--deploy gives dictionaries and shared policy groups to gateways, once', async (t) => {
  const { run, write, office } = await openFilledScene(t);
  write('objects.yaml', objects);
  const parts = objects.split('---').filter((part) => /kind: (dictionary|shared)/.test(part));
  write('parts.yaml', parts.join('---'));
  await run(['create', '-f', 'objects.yaml', '--api', 'api /orders']);
  // What is deployed in the millisecond of its last change cannot be told from what is not.
  await office.clock.advance(1_000);
  const [first, second] = await run(
    ['apply', '-f', 'parts.yaml', '--deploy'],
    ['apply', '-f', 'parts.yaml', '--deploy'],
  );
  assert.match(first?.said ?? '', /Shops .+ unchanged and deployed\n.*Common .+ unchanged and deployed\n/);
  assert.match(second?.said ?? '', /Shops .+ unchanged\n.*Common .+ unchanged\n/);
  assert.equal((await office.published('dictionary')).length, 1);
  assert.equal((await office.published('shared-policy-group')).length, 1);
});

test('an OpenAPI document is made an API of, with itself as its documentation, and found again by its title', async (t) => {
  const { run, write } = await openFilledScene(t);
  const petstore = (server: string) =>
    `openapi: 3.0.3\ninfo: { title: Pet Store, version: '1.2' }\nservers: [{ url: 'http://backend.example/${server}' }]\npaths: { /pets: { get: { responses: { '200': { description: ok } } } } }\n`;
  write('pets.yaml', petstore('pets'));
  write('moved.yaml', petstore('animals'));
  const [made, pages, same, changed] = await run(
    ['create', '-f', 'pets.yaml'],
    ['get', 'pages', '--api', 'Pet Store'],
    ['apply', '-f', 'pets.yaml'],
    ['apply', '-f', 'moved.yaml', '--dry-run'],
  );
  assert.match(made?.said ?? '', /api Pet Store \(.+\) created/);
  assert.match(pages?.said ?? '', /SWAGGER/);
  assert.match(same?.said ?? '', /api Pet Store \(.+\) unchanged/);
  assert.match(changed?.said ?? '', /would be changed\n +/);
});

test('an API is exported as a definition in yaml or json and as a custom resource, and apply of each changes nothing', async (t) => {
  const { run, write } = await openFilledScene(t);
  const forms = ['yaml', 'json', 'crd'];
  const texts = await run(
    ...forms.map((form) => ['describe', 'api', 'api /orders', '--export', form]),
    ['describe', 'api', 'api /orders', '--export', '--json'],
    ['describe', 'api', 'api /orders', '--export', 'xml'],
    ['describe', 'plan', 'plan', '--api', 'api /orders', '--export', 'crd'],
  );
  forms.forEach((form, index) => write(`${form}.yaml`, texts[index]?.said ?? ''));
  const [yaml, json, crd, alike, unknown, plan] = texts.map(({ said }) => said);
  assert.match(yaml ?? '', /^export:\n|^api:\n/m);
  assert.deepEqual(
    Object.keys(JSON.parse(json ?? '') as object),
    Object.keys(JSON.parse(alike ?? '') as object),
  );
  assert.match(crd ?? '', /^kind: ApiV4Definition$/m);
  assert.equal(texts[4]?.code, 2);
  assert.match(unknown ?? '', /Allowed choices are yaml, json, crd/);
  assert.match(plan ?? '', /warning: --export says nothing about a plan/);
  for (const { said } of await run(...forms.map((form) => ['apply', '-f', `${form}.yaml`])))
    assert.match(said, /api api \/orders .+ unchanged\n$/, said);
});

test('a flag that is of no kind in the files is a slip', async (t) => {
  const { run, write } = await openFilledScene(t);
  write('app.yaml', 'kind: application\nname: shop\ndescription: x\n');
  const [refused] = await run(['create', '-f', 'app.yaml', '--api', 'api /orders']);
  assert.equal(refused?.code, 2);
  assert.match(refused?.said ?? '', /--api says nothing about what app\.yaml holds/);
});
