import { apiNamed } from '../../kit/browser/console.ts';
import { eventually } from '../../kit/eventually.ts';
import type { Platform } from '../../kit/processes/up.ts';

/** Ids of what pictures are taken of. */
export interface Furnished {
  readonly api: string;
  readonly plan: string;
  readonly subscription: string;
  readonly application: string;
  readonly policyGroup: string;
  readonly dictionary: string;
  /** One that was refused. */
  readonly call: { readonly api: string; readonly request: string };
}

const v2 = '/v2/environments/DEFAULT';
const v1 = '/organizations/DEFAULT/environments/DEFAULT';

interface Made {
  readonly id: string;
}
interface Listed {
  readonly data: readonly Made[];
}

/** Adds to the samples what else the console has pages for, and traffic of some minutes' worth. */
export async function furnish(platform: Platform): Promise<Furnished> {
  const { client, gateway } = platform;
  const post = (path: string, body: object) => client.call<Made>('POST', path, { body });
  const api = await apiNamed(platform, 'Demo /demo/stock');
  const { data: plans } = await client.call<Listed>('GET', `${v2}/apis/${api}/plans`);
  const partners = await post(`${v2}/apis/${api}/plans`, {
    definitionVersion: 'V4',
    name: 'Partners',
    description: 'For those who sell what we have in stock',
    validation: 'MANUAL',
    status: 'PUBLISHED',
    security: { type: 'API_KEY' },
  });
  const application = await post(`${v1}/applications`, {
    name: 'Quayside app',
    description: 'Shows who waits at the quay what is in stock',
  });
  await post(`${v2}/apis/${api}/deployments`, { deploymentLabel: 'with partners' });
  await post(`${v1}/applications/${application.id}/subscriptions?plan=${partners.id}`, {});
  const policyGroup = await post(`${v2}/shared-policy-groups`, {
    name: 'Partner headers',
    description: 'Says who calls',
    apiType: 'PROXY',
    phase: 'REQUEST',
    steps: [
      {
        name: 'Transform headers',
        policy: 'transform-headers',
        enabled: true,
        configuration: { addHeaders: [{ name: 'X-Partner', value: 'yes' }] },
      },
    ],
  });
  await client.call('POST', `${v2}/shared-policy-groups/${policyGroup.id}/_deploy`);
  const dictionary = await post(`${v1}/configuration/dictionaries`, {
    name: 'Harbours',
    description: 'By their codes',
    type: 'MANUAL',
    properties: { gdn: 'Gdańsk', ham: 'Hamburg', rtm: 'Rotterdam' },
  });
  await post(`${v2}/apis/${api}/pages`, {
    name: 'Getting started',
    type: 'MARKDOWN',
    content:
      '# Stock\n\nAsk for what we have, at most **twelve times a minute**.\n\n- `/demo/stock/7` is one item\n',
  });
  for (let n = 0; n < 60; n += 1)
    await fetch(`${gateway}/demo/echo/parcels/${n % 7}`).then((answer) => answer.text());
  for (let n = 0; n < 4; n += 1) await fetch(`${gateway}/demo/orders/${n}`).then((answer) => answer.text());
  const { data: subscriptions } = await client.call<Listed>(
    'GET',
    `${v2}/apis/${api}/subscriptions?statuses=ACCEPTED`,
  );
  return {
    api,
    plan: plans[0]?.id ?? '',
    subscription: subscriptions[0]?.id ?? '',
    application: application.id,
    policyGroup: policyGroup.id,
    dictionary: dictionary.id,
    call: await refusedCall(client),
  };
}

/** Waits until what was called is in the lake. */
function refusedCall(client: Platform['client']): Promise<Furnished['call']> {
  return eventually(
    async () => {
      const { data } = await client.call<{
        readonly data: readonly {
          readonly apiId: string;
          readonly requestId: string;
          readonly status: number;
        }[];
      }>('POST', `${v2}/logs/search?page=1&perPage=100`, {
        body: {
          timeRange: {
            from: new Date(Date.now() - 3_600_000).toISOString(),
            to: new Date(Date.now() + 60_000).toISOString(),
          },
        },
      });
      const calls = data.filter(({ status }) => status === 429);
      const [first] = calls;
      return data.length >= 100 && first !== undefined && { api: first.apiId, request: first.requestId };
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
}
