import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { createAuthority, issuePair } from '../servers/certificates.ts';
import { tempDir } from '../temp-dir.ts';
import { makeWords } from './words.ts';
import { apiBody, environment, fleetsPath, type Office, planBody, v1 } from './office.ts';

/** Makes one of a kind, with every field that may be written; gives back its path. */
export type Make = (office: Office, t: TestContext) => Promise<string>;

/** A maker for each kind that can be read and replaced, by its path; what has that of its base alone, by its scope. */
export const makers: ReadonlyMap<string, Make> = new Map<string, Make>([
  [
    'v1-organization',
    async (office) => {
      const path = '/management/organizations/DEFAULT';
      const flows = [{ name: 'all', pre: [{ policy: 'latency', configuration: { time: 1 } }] }];
      const texts = { name: 'One', description: 'x' };
      const body = { ...texts, flowMode: 'BEST_MATCH', matchRequired: true, flows };
      assert.equal((await office.call('PUT', path, { body })).status, 204);
      return path;
    },
  ],
  ['environment', async () => environment],
  [
    '/retention',
    async (office) => {
      await put(office, `${environment}/retention`, { recordsDays: 60, logsDays: 7 });
      return `${environment}/retention`;
    },
  ],
  [
    '/apis/{apiId}',
    async (office) => {
      const { id } = await office.deployedApi('/put-back');
      return `${environment}/apis/${id}`;
    },
  ],
  [
    '/apis/{apiId}/deployments/{number}',
    async (office) => {
      const { id } = await office.deployedApi('/labelled');
      const path = `${environment}/apis/${id}/deployments/1`;
      await put(office, path, { label: 'first' });
      return path;
    },
  ],
  [
    '/apis/{apiId}/pages/{pageId}',
    async (office) => {
      const { id } = await office.deployedApi('/documented');
      const pages = `${environment}/apis/${id}/pages`;
      const readers = await made(office, `${v1}/configuration/groups`, { name: 'readers' });
      const access = {
        excludedAccessControls: true,
        accessControls: [{ referenceId: readers, referenceType: 'GROUP' }],
      };
      const page = {
        name: 'One',
        type: 'SWAGGER',
        content: 'openapi: 3.1.0',
        configuration: { viewer: 'Redoc' },
      };
      return `${pages}/${await made(office, pages, { ...page, ...access, homepage: true })}`;
    },
  ],
  [
    '/portal/pages/{pageId}',
    async (office) => {
      const pages = `${v1}/portal/pages`;
      const page = { name: 'Home', type: 'MARKDOWN', content: '# Home', published: true };
      return `${pages}/${await made(office, pages, { ...page, homepage: true, configuration: { lang: 'en' } })}`;
    },
  ],
  [
    '/configuration/categories/{categoryId}',
    async (office) => {
      const categories = `${v1}/configuration/categories`;
      const category = { name: 'Pets', description: 'x', hidden: true, order: 3 };
      const answer = await office.call('POST', categories, { body: category });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return `${categories}/${String(answer.body['id'])}`;
    },
  ],
  [
    '/apis/{apiId}/draft',
    async (office) => {
      const { id } = await office.deployedApi('/drafted');
      const path = `${environment}/apis/${id}/draft`;
      await put(office, path, { content: '{ "name": "half' });
      return path;
    },
  ],
  [
    '/apis/{apiId}/plans/{planId}',
    async (office) => {
      const apis = `${environment}/apis`;
      const api = await made(office, apis, apiBody('/with-plan'));
      const plan = {
        ...planBody('API_KEY'),
        crossId: 'one',
        characteristics: ['fast'],
        selectionRule: "{#request.headers['x'] != null}",
        flows: [{ name: 'all', request: [], response: [] }],
      };
      return `${apis}/${api}/plans/${await made(office, `${apis}/${api}/plans`, plan)}`;
    },
  ],
  [
    '/applications/{applicationId}',
    async (office) => {
      const application = {
        name: 'shop',
        description: 'buys',
        domain: 'shop.example',
        settings: { app: { type: 'web', client_id: 'shop-1' } },
      };
      return `${v1}/applications/${await made(office, `${v1}/applications`, application)}`;
    },
  ],
  [
    '/apis/{apiId}/subscriptions/{subscriptionId}',
    async (office) => {
      const { path } = await subscribed(office, '/subscribed');
      await put(office, path, { endingAt: '2999-01-01T00:00:00Z', metadata: { tier: 'gold' } });
      return path;
    },
  ],
  [
    '/applications/{applicationId}/subscriptions/{subscriptionId}',
    async (office) => (await subscribed(office, '/consumed')).consumerPath,
  ],
  [
    '/apis/{apiId}/metadata/{metadataKey}',
    async (office) => {
      const { id } = await office.deployedApi('/noted');
      const path = `${v1}/apis/${id}/metadata`;
      const field = { name: 'Team', format: 'MAIL', value: 'team@example.com' };
      assert.equal((await office.call('POST', path, { body: field })).status, 201);
      return `${path}/team`;
    },
  ],
  [
    '/applications/{applicationId}/metadata/{metadataKey}',
    async (office) => {
      const application = await made(office, `${v1}/applications`, { name: 'noted', description: '' });
      const path = `${v1}/applications/${application}/metadata`;
      const field = { name: 'Since', format: 'DATE', value: '2026-01-01' };
      assert.equal((await office.call('POST', path, { body: field })).status, 201);
      return `${path}/since`;
    },
  ],
  [
    '/applications/{applicationId}/certificates/{certificateId}',
    async (office, t) => {
      const application = { name: 'certified', description: '' };
      const path = `${v1}/applications/${await made(office, `${v1}/applications`, application)}/certificates`;
      const { cert } = issuePair(createAuthority(tempDir(t)), 'one');
      const times = { startsAt: '2026-01-01T00:00:00Z', endsAt: '2999-01-01T00:00:00Z' };
      return `${path}/${await made(office, path, { name: 'one', certificate: cert, ...times })}`;
    },
  ],
  [
    '/analytics/dashboards/{dashboardId}',
    async (office) => {
      const dashboards = `${environment}/analytics/dashboards`;
      return `${dashboards}/${await made(office, dashboards, { name: 'Traffic', labels: { team: 'a' } })}`;
    },
  ],
  [
    '/views/{viewId}',
    async (office) => {
      const views = `${environment}/views`;
      return `${views}/${await made(office, views, { name: 'slow', page: 'LOGS', query: 'group=5xx', shared: true })}`;
    },
  ],
  [
    '/configuration/tags/{tagId}',
    async (office) => {
      const tags = '/management/organizations/DEFAULT/configuration/tags';
      const group = await made(office, `${v1}/configuration/groups`, { name: 'sharders' });
      const tag = { key: 'internal', name: 'Internal', description: 'x', restricted_groups: [group] };
      const answer = await office.call('POST', tags, { body: tag });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return `${tags}/internal`;
    },
  ],
  [
    '/user/preferences',
    async (office) => {
      const path = '/management/organizations/DEFAULT/user/preferences';
      const tables = { apis: ['state', 'path'], logs: [] };
      const defaultEnvironment = office.at.environment;
      await put(office, path, { theme: 'DARK', density: 'COMPACT', defaultEnvironment, tables });
      return path;
    },
  ],
  [
    '/shared-policy-groups/{sharedPolicyGroupId}',
    async (office) => {
      const groups = `${environment}/shared-policy-groups`;
      const steps = [{ policy: 'latency', configuration: { time: 1 } }];
      const texts = { name: 'limits', description: 'x', prerequisiteMessage: 'y' };
      const group = { ...texts, crossId: 'limits', apiType: 'PROXY', phase: 'REQUEST', steps };
      return `${groups}/${await made(office, groups, group)}`;
    },
  ],
  [
    '/configuration/dictionaries/{dictionaryId}',
    async (office) => {
      const dictionaries = `${v1}/configuration/dictionaries`;
      const headers = [{ name: 'X-Key', value: 'secret' }];
      const asked = { url: 'https://rates.example/', method: 'POST', headers, body: 'all' };
      const configuration = { ...asked, specification: '[]', useSystemProxy: true };
      const provider = { type: 'HTTP', configuration };
      const trigger = { rate: 5, unit: 'MINUTES' };
      const dictionary = { name: 'rates', key: 'r', description: 'x', type: 'DYNAMIC', provider, trigger };
      return `${dictionaries}/${await made(office, dictionaries, dictionary)}`;
    },
  ],
  [
    '/users/{userId}',
    async (office) => {
      const users = '/management/organizations/DEFAULT/users';
      const names = { displayName: 'Ann of Somewhere', firstname: 'Ann', lastname: 'Somewhere' };
      const user = { username: 'ann', password: 'a password of twelve', email: 'ann@acme.com', ...names };
      return `${users}/${await made(office, users, user)}`;
    },
  ],
  [
    '/configuration/groups/{groupId}',
    async (office) => {
      const groups = `${v1}/configuration/groups`;
      const rules = { event_rules: [{ event: 'API_CREATE' }], roles: { API: 'OWNER', APPLICATION: 'USER' } };
      const locks = {
        lock_api_role: true,
        lock_application_role: true,
        disable_membership_notifications: true,
      };
      const group = { name: 'friends', ...rules, max_invitation: 5, ...locks, system_invitation: true };
      return `${groups}/${await made(office, groups, group)}`;
    },
  ],
  [
    '/configuration/rolescopes/{scope}/roles/{roleName}',
    async (office) => {
      const roles = '/management/organizations/DEFAULT/configuration/rolescopes/API/roles';
      const role = { name: 'KEEPER', description: 'x', default: true, permissions: { PLAN: ['C', 'R'] } };
      const answer = await office.call('POST', roles, { body: role });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return `${roles}/KEEPER`;
    },
  ],
  [
    '/configuration/notification-templates/{templateId}',
    async (office) => {
      const path = '/management/organizations/DEFAULT/configuration/notification-templates';
      const body = { scope: 'API', hook: 'API_STARTED', type: 'EMAIL', title: 'x', content: '<p>y</p>' };
      const answer = await office.call('POST', path, { body: { ...body, enabled: false } });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return `${path}/${String(answer.body['id'])}`;
    },
  ],
  ['/configuration/signIn', async () => '/management/organizations/DEFAULT/configuration/signIn'],
  [
    '/configuration/identities/{identityProviderId}',
    async (office) => {
      const providers = '/management/organizations/DEFAULT/configuration/identities';
      const discoveryEndpoint = 'https://id.example.com/.well-known/openid-configuration';
      const urls = {
        tokenEndpoint: 'https://id.example.com/t',
        userInfoEndpoint: 'https://id.example.com/u',
      };
      const provider = {
        name: 'Corporate',
        description: 'x',
        type: 'OIDC',
        enabled: false,
        configuration: { clientId: 'c', clientSecret: 's', discoveryEndpoint, ...urls, scopes: ['email'] },
        userProfileMapping: { id: 'oid', email: "{#jsonPath(#profile, '$.mail')}" },
        roleMappings: [{ condition: 'true', organizations: ['USER'], environments: { DEFAULT: ['USER'] } }],
        emailRequired: true,
        syncMappings: false,
      };
      return `${providers}/${await made(office, providers, provider)}`;
    },
  ],
  [
    '/fleets/{fleetId}',
    async (office) => {
      await makeWords(office, { tags: ['external'], tenants: ['north'] });
      const fleet = {
        name: 'dmz',
        description: 'x',
        tags: ['external'],
        tenant: 'north',
        environments: ['DEFAULT'],
      };
      return `${fleetsPath}/${await made(office, fleetsPath, fleet)}`;
    },
  ],
]);

/** A subscription to an API of its own, as publisher and consumer know it. */
async function subscribed(office: Office, place: string) {
  const { id, planId } = await office.deployedApi(place);
  const applicationId = await made(office, `${v1}/applications`, { name: place, description: '' });
  const body = { planId, applicationId, metadata: { tier: 'gold' } };
  const subscription = await made(office, `${environment}/apis/${id}/subscriptions`, body);
  return {
    path: `${environment}/apis/${id}/subscriptions/${subscription}`,
    consumerPath: `${v1}/applications/${applicationId}/subscriptions/${subscription}`,
  };
}

async function made(office: Office, path: string, body: object): Promise<string> {
  const answer = await office.call('POST', path, { body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return String(answer.body['id']);
}

/** Replaces one; gives what it is then, which some kinds have to be asked for. */
export async function put(office: Office, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await office.call('PUT', path, { body });
  assert.ok([200, 204].includes(answer.status), `${path}: ${JSON.stringify(answer.body)}`);
  return answer.status === 204 ? (await office.call('GET', path)).body : answer.body;
}

/** What is changed of a kind that has no description. */
const changes: ReadonlyMap<string, object> = new Map([
  ['/apis/{apiId}/draft', { content: '{ "name": "whole' }],
  ['/apis/{apiId}/deployments/{number}', { label: 'second' }],
  ['/apis/{apiId}/pages/{pageId}', { name: 'Two' }],
  ['/portal/pages/{pageId}', { name: 'Start' }],
  ['/apis/{apiId}/subscriptions/{subscriptionId}', { metadata: { tier: 'silver' } }],
  ['/applications/{applicationId}/subscriptions/{subscriptionId}', { metadata: { tier: 'silver' } }],
  ['/apis/{apiId}/metadata/{metadataKey}', { value: 'others@example.com' }],
  ['/applications/{applicationId}/metadata/{metadataKey}', { value: '2026-02-02' }],
  ['/applications/{applicationId}/certificates/{certificateId}', { name: 'another' }],
  ['/users/{userId}', { displayName: 'Ann of Elsewhere' }],
  ['/configuration/notification-templates/{templateId}', { title: 'another' }],
  ['/retention', { recordsDays: 61 }],
  ['/analytics/dashboards/{dashboardId}', { name: 'Another' }],
  ['/configuration/groups/{groupId}', { name: 'strangers' }],
  ['/configuration/signIn', { automaticValidation: { enabled: true } }],
  ['/user/preferences', { theme: 'LIGHT' }],
  ['/views/{viewId}', { name: 'others' }],
]);

/** A body that changes something of one of a kind whose answers have an ETag. */
export const otherwise = (name: string, body: object): object => ({
  ...body,
  ...(changes.get(name) ?? { description: 'another' }),
});
