import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiBody, environment, openOffice, planBody, v1 } from '../../../test/kit/control-plane/office.ts';
import { tablesWithSecrets } from '../../../test/kit/control-plane/planted-secrets.ts';
import {
  brokenExpressions,
  knownShapes,
  secretShapes,
  shapeSecret,
  shapeShown,
} from '../../../test/kit/control-plane/secret-shapes.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';

/* Secrets in shapes that nobody declared, and every way out of the control plane that what holds them can take. */

const off = (configuration: object, index: number) => ({
  name: `step ${index}`,
  policy: index % 2 === 0 ? 'not-here' : 'mock',
  enabled: false,
  configuration,
});
const flowOf = (request: readonly object[]) => ({
  name: 'f',
  selectors: [{ type: 'HTTP', path: '/' }],
  request,
  response: [],
});
const shapes = Object.values(secretShapes);
const definitionOf = (more: object) => ({
  flows: [flowOf([...shapes, ...Object.values(knownShapes), more].map(off))],
  resources: shapes.map((configuration, index) => ({
    name: `r${index}`,
    type: 'not-here',
    enabled: false,
    configuration,
  })),
});

test('a secret of whatever shape is in no answer, no export, no comparison, no audit, no log and no table', async (t) => {
  const logged: string[] = [];
  const office = await openOffice(t, sqlite, { onLogged: (line) => void logged.push(line) });
  const ways = new Map<string, string>();
  const ask = async (way: string, ...[method, path, wish]: Parameters<typeof office.call>) => {
    const answer = await office.call(method, path, wish);
    ways.set(way, answer.text);
    return answer;
  };
  const { id, planId } = await office.deployedApi('/shapes', 'KEY_LESS');
  const api = `${environment}/apis/${id}`;
  const body = apiBody('/shapes', definitionOf({ first: shapeShown }));
  const put = await ask('PUT', 'PUT', api, { body });
  assert.equal(put.status, 200, put.text);
  const deployed = await ask('deploy', 'POST', `${api}/deployments`, { body: { deploymentLabel: 'one' } });
  assert.equal(deployed.status, 202, deployed.text);
  const changed = apiBody('/shapes', definitionOf({ password: `${shapeSecret}-new`, second: shapeShown }));
  await ask('PUT again', 'PUT', api, { body: changed });
  await ask('deploy again', 'POST', `${api}/deployments`);
  const patch = { name: 'other' };
  await ask('PATCH', 'PATCH', api, { body: patch });
  const plan = { ...planBody('KEY_LESS'), flows: [flowOf(shapes.map(off))] };
  await ask('a plan', 'PUT', `${api}/plans/${planId}`, { body: plan });
  const exported = await ask('export', 'GET', `${api}/_export/definition`);
  await ask('import again', 'PUT', `${api}/_import/definition`, { body: exported.body });
  const open = { export: {}, api: changed, plans: [{ ...plan, id: planId }] };
  await ask('dry run', 'PUT', `${api}/_import/definition?dryRun=true`, { body: open });
  await ask('import', 'POST', `${environment}/apis/_import/definition`, {
    body: { export: {}, api: apiBody('/imported', definitionOf({})) },
  });
  await ask('duplicate', 'POST', `${api}/_duplicate`, { body: { contextPath: '/twice', version: '2' } });
  const draft = { content: JSON.stringify(changed, undefined, 2) };
  await ask('draft', 'PUT', `${api}/draft`, { body: draft });
  await ask('draft again', 'GET', `${api}/draft`);
  await ask('verify', 'POST', `${api}/deployments/_verify`);
  const events = await ask('events', 'GET', `${api}/events?from=0&to=99999999999999`);
  const [event] = events.body['data'] as readonly { id: string }[];
  for (const path of [
    api,
    `${environment}/apis`,
    `${api}/plans`,
    `${api}/plans/${planId}`,
    `${api}/deployments`,
    `${api}/deployments/current`,
    `${api}/deployments/1`,
    `${api}/deployments/1/_diff`,
    `${api}/events/${event?.id}`,
    `${api}/audits`,
    `${v1}/audit`,
    `${v1}/audit/_export`,
    '/management/organizations/DEFAULT/audit',
    '/management/organizations/DEFAULT/audit/_export',
  ])
    await ask(path, 'GET', path);
  await ask('search', 'POST', `${environment}/apis/_search`, { body: {} });

  const leaks = [...ways].flatMap(([way, text]) => (text.includes(shapeSecret) ? [way] : []));
  assert.deepEqual(leaks, []);
  assert.deepEqual(await tablesWithSecrets(office.storage), []);
  assert.deepEqual(
    logged.filter((line) => line.includes(shapeSecret)),
    [],
  );
  assert.ok([...ways.values()].every((text) => !text.includes('sealed:v1:')));
  const shown = JSON.stringify(body).split(shapeShown).length - 1;
  assert.equal((ways.get('PUT') ?? '').split(shapeShown).length - 1, shown, 'what is none stays to be seen');
  const read = await office.call('GET', api);
  const back = await office.call('PUT', api, { body: read.body });
  assert.equal(back.status, 200, 'all masks stand for theirs');
});

test('what is refused is told without the secrets in it: imports, deployments, verdicts, plans, groups', async (t) => {
  const logged: string[] = [];
  const office = await openOffice(t, sqlite, { onLogged: (line) => void logged.push(line) });
  const leaks: string[] = [];
  const refused: string[] = [];
  const ask = async (way: string, ...[method, path, wish]: Parameters<typeof office.call>) => {
    const answer = await office.call(method, path, wish);
    if (answer.text.includes(shapeSecret)) leaks.push(`${way}: ${answer.text}`);
    if (answer.status >= 400 || answer.body['ok'] === false) refused.push(way);
    return answer;
  };
  const { id } = await office.deployedApi('/refused', 'KEY_LESS');
  const api = `${environment}/apis/${id}`;
  const headers = brokenExpressions.map((value) => ({ name: 'Authorization', value }));
  const step = (policy: string, configuration: object) => ({
    name: policy,
    policy,
    enabled: true,
    configuration,
  });
  const wrong: Readonly<Record<string, object>> = {
    'broken expressions': {
      flows: [flowOf([step('mock', { headers }), step('transform-headers', { addHeaders: headers })])],
    },
    'broken expressions of endpoints': {
      endpointGroups: [
        {
          name: 'default',
          type: 'http-proxy',
          sharedConfiguration: { headers, proxy: { enabled: true, host: `user:${shapeSecret}@proxy` } },
          endpoints: [
            { name: 'one', type: 'http-proxy', configuration: { target: `https:user:${shapeSecret}@host` } },
          ],
        },
      ],
    },
    'steps that are not here': { flows: [flowOf(shapes.map((shape) => step('not-here', shape)))] },
    'fields that are not here': { flows: [flowOf(shapes.map((shape) => step('mock', shape)))] },
    'resources that are not here': {
      resources: shapes.map((configuration, index) => ({
        name: `r${index}`,
        type: 'not-here',
        configuration,
      })),
    },
    'secrets of another kind': {
      resources: [
        { name: 'o', type: 'oauth2', configuration: { clientSecret: { a: shapeSecret }, clientId: 'a' } },
        {
          name: 'p',
          type: 'oauth2',
          configuration: { clientSecret: `{#'${shapeSecret}'`, clientId: ['a'] },
        },
      ],
      properties: [{ key: 'k', value: `{#'${shapeSecret}'`, encrypted: 'yes' }],
    },
  };
  for (const [what, more] of Object.entries(wrong)) {
    const body = apiBody('/refused', more);
    await ask(`${what}: PUT`, 'PUT', api, { body });
    await ask(`${what}: verify`, 'POST', `${api}/deployments/_verify`);
    await ask(`${what}: deploy`, 'POST', `${api}/deployments`);
    await ask(`${what}: compare`, 'GET', `${api}/deployments/1/_diff`);
    await ask(`${what}: draft`, 'PUT', `${api}/draft`, { body: { content: JSON.stringify(body) } });
    await ask(`${what}: deploy of the draft`, 'POST', `${api}/deployments`);
    await ask(`${what}: no draft`, 'DELETE', `${api}/draft`);
    for (const document of [
      { export: {}, api: { ...body, listeners: apiBody('/imported')['listeners'] } },
      {
        apiVersion: 'gravitee.io/v1alpha1',
        kind: 'ApiV4Definition',
        metadata: { name: 'a' },
        spec: { ...body, version: '1' },
      },
    ]) {
      await ask(`${what}: import`, 'POST', `${environment}/apis/_import/definition`, { body: document });
      await ask(`${what}: dry run`, 'PUT', `${api}/_import/definition?dryRun=true`, { body: document });
      await ask(`${what}: import again`, 'PUT', `${api}/_import/definition`, { body: document });
    }
    const group = { name: what, apiType: 'PROXY', phase: 'REQUEST', steps: [step('mock', { headers })] };
    await ask(`${what}: group`, 'POST', `${environment}/shared-policy-groups`, { body: group });
  }
  for (const configuration of [
    { signature: 'HMAC_HS256', publicKeyResolver: 'GIVEN_KEY', resolverParameter: `{#'${shapeSecret}'` },
    { signature: 'NONSENSE', publicKeyResolver: 'GIVEN_KEY', resolverParameter: shapeSecret },
    ...shapes,
  ]) {
    const security = { type: 'JWT', configuration };
    await ask('plan', 'POST', `${api}/plans`, { body: { ...planBody('JWT'), security } });
  }
  assert.deepEqual(leaks, []);
  assert.ok(refused.length > 20, 'most of it is refused, which this is about');
  assert.deepEqual(
    logged.filter((line) => line.includes(shapeSecret)),
    [],
  );
});
