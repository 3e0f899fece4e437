/** Calls the management API as a script of a user would: HTTP, basic authentication, JSON. */
export interface ManagementClient {
  /** Any call below /management; throws with status and body unless the status is one of the expected (default 2xx). */
  call<Answer = Record<string, unknown>>(
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly expected?: readonly number[] },
  ): Promise<Answer>;
  /** Creates, starts and deploys an API with one plan; says its ids. */
  createApi(wish: ApiWish): Promise<CreatedApi>;
  /** Subscribes a fresh application and says the key, which is shown only here. */
  subscribe(api: CreatedApi): Promise<CreatedSubscription>;
  deploy(apiId: string): Promise<void>;
  /** Gives the API one flow that answers with the word itself (policy mock); the draft only, deploy makes it live. */
  answerWith(apiId: string, word: string): Promise<void>;
  /** Gives the API another context path; the draft only. */
  moveTo(apiId: string, path: string): Promise<void>;
}

/** What the API should be. */
export interface ApiWish {
  readonly path: string;
  readonly target: string;
  readonly security: 'KEY_LESS' | 'API_KEY';
  /** In the management spelling; none by default. */
  readonly flows?: readonly unknown[];
}

/** Ids of what `createApi` made. */
export interface CreatedApi {
  readonly id: string;
  readonly planId: string;
}

/** What `subscribe` made. */
export interface CreatedSubscription {
  readonly id: string;
  readonly key: string;
  readonly keyId: string;
}

/** Makes a client for the control plane at that origin, acting as the first admin in one environment. */
export function createManagementClient(
  origin: string,
  password: string,
  environmentHrid = 'DEFAULT',
): ManagementClient {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  const environment = `/v2/environments/${environmentHrid}`;

  const call: ManagementClient['call'] = async <Answer>(
    method: string,
    path: string,
    { body, expected }: { readonly body?: unknown; readonly expected?: readonly number[] } = {},
  ) => {
    const answer = await fetch(`${origin}/management${path}`, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (expected === undefined ? !answer.ok : !expected.includes(answer.status)) {
      throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    }
    return (text === '' ? {} : JSON.parse(text)) as Answer;
  };

  const deploy = async (apiId: string): Promise<void> => {
    await call('POST', `${environment}/apis/${apiId}/deployments`, { body: { deploymentLabel: 'test' } });
  };

  const rewrite = async (apiId: string, changes: object): Promise<void> => {
    const api = await call('GET', `${environment}/apis/${apiId}`);
    const kept = [
      'name',
      'apiVersion',
      'definitionVersion',
      'type',
      'description',
      'listeners',
      'endpointGroups',
    ];
    const body = Object.fromEntries(kept.map((key) => [key, api[key]]));
    await call('PUT', `${environment}/apis/${apiId}`, { body: { ...body, ...changes } });
  };

  return {
    call,
    deploy,
    async answerWith(apiId, word) {
      const step = {
        name: 'answer',
        policy: 'mock',
        enabled: true,
        configuration: { status: '200', content: word, headers: [] },
      };
      const selectors = [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' }];
      await rewrite(apiId, {
        flows: [{ name: 'mock', enabled: true, selectors, request: [step], response: [] }],
      });
    },
    moveTo: (apiId, path) => rewrite(apiId, { listeners: listenersAt(path) }),
    async createApi(wish) {
      const api = await call<{ id: string }>('POST', `${environment}/apis`, { body: apiBody(wish) });
      const plan = await call<{ id: string }>('POST', `${environment}/apis/${api.id}/plans`, {
        body: {
          definitionVersion: 'V4',
          name: 'plan',
          mode: 'STANDARD',
          validation: 'AUTO',
          security: { type: wish.security },
        },
      });
      await call('POST', `${environment}/apis/${api.id}/plans/${plan.id}/_publish`);
      await call('POST', `${environment}/apis/${api.id}/_start`);
      await deploy(api.id);
      return { id: api.id, planId: plan.id };
    },
    async subscribe(api) {
      const application = await call<{ id: string }>(
        'POST',
        `/organizations/DEFAULT/environments/${environmentHrid}/applications`,
        { body: { name: `app-${api.id}`, description: 'made by a test' } },
      );
      const subscription = await call<{ id: string }>('POST', `${environment}/apis/${api.id}/subscriptions`, {
        body: { planId: api.planId, applicationId: application.id },
      });
      const key = await call<{ id: string; key: string }>(
        'POST',
        `${environment}/apis/${api.id}/subscriptions/${subscription.id}/api-keys/_renew`,
      );
      return { id: subscription.id, key: key.key, keyId: key.id };
    },
  };
}

function apiBody(wish: ApiWish): unknown {
  return {
    definitionVersion: 'V4',
    type: 'PROXY',
    name: `api ${wish.path}`,
    apiVersion: '1.0',
    description: 'made by a test',
    listeners: listenersAt(wish.path),
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: wish.target } }],
      },
    ],
    flows: wish.flows ?? [],
  };
}

function listenersAt(path: string): readonly object[] {
  return [{ type: 'HTTP', paths: [{ path }], entrypoints: [{ type: 'http-proxy' }] }];
}
