import { apiBody, environment, fleetsPath, planBody, v1 } from '../control-plane/office.ts';

/** Calls the management API by a path below its origin; gives the body of what succeeded, and throws of what did not. */
export type Call = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<Readonly<Record<string, unknown>>>;

/** Ids of what the product made, one of each kind. */
export type Templates = Readonly<Record<(typeof kinds)[number], string>>;

const kinds = [
  'api',
  'plan',
  'application',
  'subscription',
  'key',
  'page',
  'portalPage',
  'user',
  'group',
  'category',
  'dashboard',
  'dictionary',
  'policyGroup',
  'fleet',
  'entrypoint',
] as const;

/** Password of {@link ann}. */
export const annsPassword = 'a password of twelve';
/** Who has a few of everything, and nothing else to say. */
export const ann = 'ann';

const organization = '/management/organizations/DEFAULT';

/** Makes one of each kind through the door. */
export async function makeTemplates(call: Call): Promise<Templates> {
  const made = async (path: string, body: object): Promise<string> =>
    String((await call('POST', path, body))['id']);
  const policyGroups = `${environment}/shared-policy-groups`;
  const steps = [{ policy: 'latency', configuration: { time: 1 } }];
  const policyGroup = await made(policyGroups, {
    name: 'template',
    crossId: 'template',
    apiType: 'PROXY',
    phase: 'REQUEST',
    steps,
  });
  await call('POST', `${policyGroups}/${policyGroup}/_deploy`);
  for (const key of ['tag', 'template'])
    await call('POST', `${organization}/configuration/tags`, { key, name: key });
  const category = await made(`${v1}/configuration/categories`, { name: 'template' });
  const api = await made(`${environment}/apis`, apiOf());
  const atApi = `${environment}/apis/${api}`;
  const plan = await made(`${atApi}/plans`, planBody('API_KEY'));
  await call('POST', `${atApi}/plans/${plan}/_publish`);
  await call('POST', `${atApi}/_start`);
  const application = await made(`${v1}/applications`, { name: 'template', description: 'buys' });
  const subscribed = await call('POST', `${atApi}/subscriptions`, {
    planId: plan,
    applicationId: application,
  });
  const user = await made(`${organization}/users`, { username: ann, password: annsPassword, role: 'USER' });
  const group = await made(`${v1}/configuration/groups`, { name: 'template' });
  await call('POST', `${v1}/configuration/groups/${group}/members`, [
    { id: user, roles: [{ scope: 'API', name: 'USER' }] },
  ]);
  await call('PUT', atApi, { ...(await call('GET', atApi)), groups: [group] });
  await call('POST', `${atApi}/deployments`, {});
  await call('POST', `${v1}/apis/${api}/metadata`, { name: 'template', format: 'STRING', value: 'x' });
  await call('POST', `${v1}/applications/${application}/metadata`, {
    name: 'template',
    format: 'STRING',
    value: 'x',
  });
  await call('POST', `${v1}/configuration/metadata`, { name: 'template', format: 'STRING', value: 'x' });
  for (const [path, hook] of [
    [`${v1}/apis/${api}`, 'API_STARTED'],
    [`${v1}/applications/${application}`, 'SUBSCRIPTION_ACCEPTED'],
    [`${v1}/configuration`, 'USER_REGISTERED'],
  ])
    await call('POST', `${path}/notificationsettings`, { config_type: 'PORTAL', hooks: [hook] });
  return {
    ...(await makeRest(made)),
    category,
    api,
    plan,
    application,
    subscription: String(subscribed['id']),
    key: String((subscribed['apiKey'] as { readonly id: string }).id),
    page: await made(`${atApi}/pages`, { name: 'template', type: 'MARKDOWN', content: '# Pets' }),
    user,
    group,
    policyGroup,
  };
}

const apiOf = (): object =>
  apiBody('/template', {
    tags: ['tag'],
    labels: ['label'],
    categories: ['template'],
    properties: [{ key: 'text', value: 'x'.repeat(2_000) }],
    flows: [
      {
        name: 'all',
        request: [
          { policy: 'shared-policy-group-policy', configuration: { sharedPolicyGroupId: 'template' } },
        ],
      },
    ],
  });

async function makeRest(
  made: (path: string, body: object) => Promise<string>,
): Promise<Pick<Templates, 'dashboard' | 'dictionary' | 'entrypoint' | 'fleet' | 'portalPage'>> {
  const fleet = await made(fleetsPath, { name: 'template', environments: ['DEFAULT'] });
  await made(`${fleetsPath}/${fleet}/enrolment-tokens`, {
    bridge: 'http://127.0.0.1:18092',
    usesMax: 1,
    expiresAt: '2999-01-01T00:00:00Z',
  });
  return {
    fleet,
    dashboard: await made(`${environment}/analytics/dashboards`, { name: 'template' }),
    dictionary: await made(`${v1}/configuration/dictionaries`, { name: 'template', type: 'MANUAL' }),
    portalPage: await made(`${v1}/portal/pages`, { name: 'template', type: 'MARKDOWN', content: '# Home' }),
    entrypoint: await made(`${organization}/configuration/entrypoints`, {
      target: 'HTTP',
      value: 'https://api.example',
      tags: ['template'],
    }),
  };
}
