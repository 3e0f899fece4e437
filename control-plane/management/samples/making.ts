import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { createApi, startApi } from '../apis/apis.ts';
import { createApplication } from '../applications/applications.ts';
import { deployApi } from '../deployments/deployments.ts';
import { change, type Desk } from '../desk.ts';
import { createPlan } from '../plans/plans.ts';
import { subscribe } from '../subscriptions/subscriptions.ts';
import { insertSample, type Sample } from './samples.store.ts';

/** Apart from what anybody would call an API of his own. */
export const samplePaths = { echo: '/demo/echo', orders: '/demo/orders', stock: '/demo/stock' } as const;
/** What the API at a path is called. */
export const sampleName = (path: string): string => `Demo ${path}`;

/** Keys of the applications, which are nowhere else. */
export interface SampleKeys {
  /** Of the shop, for orders. */
  readonly orders: string;
  /** Of the shop and of the kiosk, for stock; only of the whole set. */
  readonly stock?: { readonly shop: string; readonly kiosk: string };
}

/** What samples are made of. */
export interface SamplesWish {
  readonly at: EnvironmentRef;
  /** Backend of the APIs. */
  readonly target: string;
  /** All three APIs and both applications; without it the two APIs and the application that a platform without a look at it has. */
  readonly isWhole: boolean;
}

type ApiWish = Parameters<typeof createApi>[2]['wish'];
type PlanWish = Parameters<typeof createPlan>[2]['wish'];

const withKey: PlanWish = {
  definitionVersion: 'V4',
  name: 'With a key',
  validation: 'AUTO',
  status: 'PUBLISHED',
  security: { type: 'API_KEY' },
};
const open: PlanWish = { ...withKey, name: 'Open', security: { type: 'KEY_LESS' } };

/** What the kiosk runs into. */
const stockCallsPerMinute = 12;
const stockPlan: PlanWish = {
  ...withKey,
  name: 'Twelve a minute',
  flows: [
    {
      name: 'Limit',
      enabled: true,
      selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' }],
      request: [
        {
          name: 'Rate limit',
          policy: 'rate-limit',
          enabled: true,
          configuration: {
            addHeaders: true,
            rate: { limit: stockCallsPerMinute, periodTime: 1, periodTimeUnit: 'MINUTES' },
          },
        },
      ],
    },
  ],
};
const stockFlows: ApiWish['flows'] = [
  {
    name: 'Nobody comes to internal pages',
    enabled: true,
    selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' }],
    request: [
      {
        name: 'Resource filtering',
        policy: 'resource-filtering',
        enabled: true,
        configuration: { whitelist: [], blacklist: [{ pattern: '/internal/**' }] },
      },
    ],
    response: [
      {
        name: 'Say who answers',
        policy: 'transform-headers',
        enabled: true,
        configuration: { addHeaders: [{ name: 'X-Served-By', value: 'isthmus' }] },
      },
    ],
  },
];

/**
 * Makes the samples, each noted as one; undefined, and nothing more is made, where somebody has one of the paths already.
 *
 * Whoever calls it says with {@link auditSamples} that they are whole.
 */
export async function makeSamples(
  desk: Desk,
  actor: Actor,
  wish: SamplesWish,
): Promise<SampleKeys | undefined> {
  const { at, isWhole } = wish;
  try {
    const { echo, orders, stock } = samplePaths;
    await sampleApi(desk, actor, { ...wish, path: echo, plan: open });
    const ordered = await sampleApi(desk, actor, { ...wish, path: orders, plan: withKey });
    const stocked = isWhole
      ? await sampleApi(desk, actor, { ...wish, path: stock, plan: stockPlan, flows: stockFlows })
      : undefined;
    const shop = await sampleApplication(desk, actor, { at, name: 'Demo shop', calls: orders });
    const keys = { orders: await keyOf(desk, actor, { at, application: shop, api: ordered }) };
    if (stocked === undefined) return keys;
    const kiosk = await sampleApplication(desk, actor, { at, name: 'Demo kiosk', calls: stock });
    const [ofShop, ofKiosk] = [
      await keyOf(desk, actor, { at, application: shop, api: stocked }),
      await keyOf(desk, actor, { at, application: kiosk, api: stocked }),
    ];
    return { ...keys, stock: { shop: ofShop, kiosk: ofKiosk } };
  } catch (error) {
    // Somebody has these paths already: the samples give way.
    if (error instanceof Fault && error.code === 'api.listener.paths.path.exists') return undefined;
    throw error;
  }
}

/** Says that they were made; no later start makes them again. */
export function auditSamples(desk: Desk, actor: Actor, at: EnvironmentRef): Promise<void> {
  return change(desk, { actor, at }, (now) =>
    now.audit('DEMO_CREATED', { type: 'ENVIRONMENT', id: at.environment }),
  );
}

interface MadeApi {
  readonly id: string;
  readonly planId: string;
}

async function sampleApi(
  desk: Desk,
  actor: Actor,
  wish: {
    readonly at: EnvironmentRef;
    readonly path: string;
    readonly target: string;
    readonly plan: PlanWish;
    /** Whether its deployment is to be seen beside others. */
    readonly isWhole: boolean;
    readonly flows?: ApiWish['flows'];
  },
): Promise<MadeApi> {
  const { at, path, target } = wish;
  const { id } = await createApi(desk, actor, {
    at,
    wish: {
      name: sampleName(path),
      apiVersion: '1.0',
      definitionVersion: 'V4',
      type: 'PROXY',
      description: 'A sample, to look at; isthmus samples remove takes it away.',
      visibility: 'PUBLIC',
      listeners: [{ type: 'HTTP', paths: [{ path }], entrypoints: [{ type: 'http-proxy' }] }],
      endpointGroups: [
        {
          name: 'default',
          type: 'http-proxy',
          endpoints: [{ name: 'echo', type: 'http-proxy', configuration: { target } }],
        },
      ],
      ...(wish.flows === undefined ? {} : { flows: wish.flows }),
    },
  });
  await note(desk, actor, { at, type: 'API', id });
  const plan = await createPlan(desk, actor, { at, id, wish: wish.plan });
  if (wish.isWhole) await deployApi(desk, actor, { at, id, label: 'sample' });
  await startApi(desk, actor, { at, id });
  return { id, planId: plan.id };
}

async function sampleApplication(
  desk: Desk,
  actor: Actor,
  { at, name, calls }: { readonly at: EnvironmentRef; readonly name: string; readonly calls: string },
): Promise<string> {
  const wish = { name, description: `A sample: calls the demo API ${calls}.` };
  const { id } = await createApplication(desk, actor, { at, wish });
  await note(desk, actor, { at, type: 'APPLICATION', id });
  return id;
}

/** From here on it is told from what people make. */
function note(
  desk: Desk,
  actor: Actor,
  { at, type, id }: Pick<Sample, 'type' | 'id'> & { readonly at: EnvironmentRef },
): Promise<void> {
  return change(desk, { actor, at }, (now) =>
    insertSample(now.trx, { ...at, type, object_id: id, created_at_ms: now.nowMs }),
  );
}

async function keyOf(
  desk: Desk,
  actor: Actor,
  {
    at,
    application,
    api,
  }: { readonly at: EnvironmentRef; readonly application: string; readonly api: MadeApi },
): Promise<string> {
  const wish = { applicationId: application, planId: api.planId };
  const subscription = await subscribe(desk, actor, { at, id: api.id, wish });
  const { key } = subscription['apiKey'] as { readonly key: string };
  return key;
}
