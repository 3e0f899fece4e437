import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Hono } from 'hono';
import { createLog } from '../../../proto/process/log.ts';
import { createPeers } from '../../../proto/process/peers.ts';
import { type Keyring, openKeyring } from '../../../proto/process/secrets.ts';
import {
  decodeApi,
  decodeApiKey,
  decodeDictionary,
  decodeOrganizationFlows,
  decodeSharedPolicyGroup,
  decodeSubscription,
} from '../../../proto/wire/payloads.ts';
import type { EnvironmentRef, PublishedRepository, RecordKind } from '../../../proto/wire/published.ts';
import { decodeRecord } from '../../../proto/wire/record.ts';
import type { TestDatabase } from '../servers/databases.ts';
import { createFakeClock, type FakeClock } from '../fake-clock.ts';
import { tempDir } from '../temp-dir.ts';
import { createOidc } from '../../../control-plane/access/identity/oidc.ts';
import { createAccess } from '../../../control-plane/access/access.ts';
import type { PasswordCost } from '../../../control-plane/access/passwords.ts';
import { boot, type BootResult } from '../../../control-plane/boot.ts';
import type { Desk } from '../../../control-plane/management/desk.ts';
import { createMail } from '../../../control-plane/mail/mail.ts';
import { createWebhooks } from '../../../control-plane/mail/webhooks.ts';
import { mailSettings } from '../../../control-plane/mail/settings.ts';
import { createLive, type LiveLimits } from '../../../control-plane/management/live/live.ts';
import { createFleets } from '../../../control-plane/publish/fleets.ts';
import { createPublisher } from '../../../control-plane/publish/publisher.ts';
import { createPublishedRepository } from '../../../control-plane/publish/repository.ts';
import { openStorage, type Storage } from '../../../control-plane/storage/storage.ts';
import { createManagementDoor } from '../../../control-plane/doors/management.ts';

/** A management door on a fresh, booted database, with hands to use it. */
export interface Office {
  readonly app: Hono;
  readonly desk: Desk;
  readonly clock: FakeClock;
  readonly storage: Storage;
  /** Seals what waits, a mail's facts among it. */
  readonly keyring: Keyring;
  /** The same database once more, as another control plane has it. */
  openStorage(): Promise<Storage>;
  /** Another control plane on the same database: calls its door. */
  openSecond(): Promise<Office['call']>;
  readonly repository: PublishedRepository;
  readonly boot: BootResult;
  readonly at: EnvironmentRef;
  /** Calls the door; `as` is an Authorization header, the administrator's by default, null for nobody. */
  call(method: string, path: string, wish?: CallWish): Promise<Answer>;
  /** An API with one published plan, started and deployed. */
  deployedApi(path: string, security?: string): Promise<{ readonly id: string; readonly planId: string }>;
  /** What gateways would get of a kind, decoded, tombstones left out. */
  published(kind: RecordKind): Promise<readonly PublishedView[]>;
}

interface CallWish {
  readonly body?: unknown;
  readonly text?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly as?: string | null;
}

/** An answer with its body read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty when it is no JSON. */
  readonly body: Record<string, unknown> & { readonly technicalCode?: string };
}

/** A record that is in force. */
export interface PublishedView {
  readonly id: string;
  readonly revision: string;
  readonly tags: readonly string[];
  readonly payload: Readonly<Record<string, unknown>>;
}

const cheap: PasswordCost = { memoryKib: 64, passes: 1 };

export const password = 'correct horse battery';
/** Paths of the environment, both versions. */
export const environment = '/management/v2/environments/DEFAULT';
export const v1 = '/management/organizations/DEFAULT/environments/DEFAULT';

export const fleetsPath = '/management/v2/organizations/DEFAULT/fleets';

/** An Authorization header. */
export function basic(username: string, secret: string): string {
  return `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
}

/** A body that creates an API. */
export function apiBody(path: string, extra: object = {}): Record<string, unknown> {
  return {
    definitionVersion: 'V4',
    type: 'PROXY',
    name: `api ${path}`,
    apiVersion: '1.0',
    listeners: [{ type: 'HTTP', paths: [{ path }], entrypoints: [{ type: 'http-proxy' }] }],
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        endpoints: [
          { name: 'one', type: 'http-proxy', configuration: { target: 'http://backend.example:8080' } },
        ],
      },
    ],
    flows: [],
    ...extra,
  };
}

/** A body that creates a plan. */
export function planBody(security: string, extra: object = {}): Record<string, unknown> {
  return {
    definitionVersion: 'V4',
    name: 'plan',
    validation: 'AUTO',
    security: { type: security },
    ...extra,
  };
}

/** Opens one. */
export async function openOffice(
  t: TestContext,
  database: TestDatabase,
  given: {
    readonly analytics?: NonNullable<Desk['analytics']>;
    readonly outbound?: NonNullable<Desk['outbound']>;
    readonly debug?: NonNullable<Desk['debug']>;
    readonly demoTarget?: string;
    readonly liveLimits?: LiveLimits;
    readonly publicUrl?: string;
    readonly gatewaysUrl?: string;
    readonly quotas?: NonNullable<Desk['quotas']>;
    readonly allowPasswords?: boolean;
    /** As the control plane's settings have it; by default no mails are sent. */
    readonly mail?: unknown;
    /** Of passwords; next to nothing by default, since hashing would be half of what the tests of the door cost. */
    readonly passwordCost?: PasswordCost;
    /** Gets every line of the log, which nobody else reads. */
    readonly onLogged?: (line: string) => void;
  } = {},
): Promise<Office> {
  const dataDir = tempDir(t);
  const url = await database.createWithSchema(dataDir);
  const log =
    given.onLogged === undefined
      ? createLog({ name: 'test', level: 'silent' })
      : createLog({ name: 'test', level: 'debug', destination: { write: given.onLogged } });
  const open = async (): Promise<Storage> => {
    const opened = await openStorage({ url, dataDir, log });
    t.after(() => opened.close());
    return opened;
  };
  const storage = await open();
  const clock = createFakeClock();
  const keyring = openKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] });
  const deskOn = (opened: Storage): Desk => {
    const publisher = createPublisher({ storage: opened, keyring, clock, log });
    return {
      storage: opened,
      publisher,
      fleets: createFleets({ storage: opened, publisher, clock }),
      access: createAccess({
        storage: opened,
        clock,
        allowPasswords: given.allowPasswords ?? true,
        passwordCost: given.passwordCost ?? cheap,
      }),
      mail: createMail({ keyring, settings: mailSettings.parse(given.mail) }),
      webhooks: createWebhooks({ keyring }),
      clock,
      live: createLive({ storage: opened, clock, log, limits: given.liveLimits }),
      analytics: given.analytics,
      outbound: given.outbound,
      debug: given.debug,
      gatewaysUrl: given.gatewaysUrl,
      quotas: given.quotas,
      publicUrl: given.publicUrl,
      oidc: given.outbound === undefined ? undefined : createOidc(given.outbound),
    };
  };
  const desk = deskOn(storage);
  const made = await boot(desk, { adminPassword: password, demoTarget: given.demoTarget });
  const { publicUrl } = given;
  const doorOf = (of: Desk): Hono =>
    createManagementDoor({ desk: of, log, peers: createPeers([]), publicUrl, bodyMsMax: 30_000 });
  const app = doorOf(desk);
  const call = callerOf(app);
  const repository = createPublishedRepository({ storage, clock });

  return {
    app,
    desk,
    clock,
    storage,
    keyring,
    openStorage: open,
    openSecond: async () => callerOf(doorOf(deskOn(await open()))),
    repository,
    boot: made,
    at: made.at,
    call,
    async deployedApi(path, security = 'API_KEY') {
      const api = await call('POST', `${environment}/apis`, { body: apiBody(path) });
      assert.equal(api.status, 201, JSON.stringify(api.body));
      const id = String(api.body['id']);
      const plan = await call('POST', `${environment}/apis/${id}/plans`, { body: planBody(security) });
      assert.equal(plan.status, 201, JSON.stringify(plan.body));
      const planId = String(plan.body['id']);
      assert.equal((await call('POST', `${environment}/apis/${id}/plans/${planId}/_publish`)).status, 200);
      const started = await call('POST', `${environment}/apis/${id}/_start`);
      assert.equal(started.status, 204, JSON.stringify(started.body));
      return { id, planId };
    },
    async published(kind) {
      const { headers } = await repository.headersAfter(made.at, 0, 10_000);
      const wanted = headers.filter((header) => header.kind === kind && !header.isDeleted);
      const records = await repository.payloads(made.at, wanted);
      return records.map(({ header, bytes }) => {
        const { payload, revision } = decodeRecord(bytes);
        return { id: header.id, revision, tags: header.tags, payload: { ...decode(kind, payload) } };
      });
    },
  };
}

/** Calls a door. */
function callerOf(app: Hono): Office['call'] {
  return async (method, path, { body, text, headers, as } = {}) => {
    const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
    const authorization = as === undefined ? basic('admin', password) : as;
    const answer = await app.request(`http://office${path}`, {
      method,
      headers: {
        ...(authorization === null ? {} : { authorization }),
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
    });
    // A stream has no end: tests of streams read it themselves.
    const isStream = answer.headers.get('content-type') === 'text/event-stream';
    if (isStream) await answer.body?.cancel();
    const read = isStream ? '' : await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: answer.status,
      headers: answer.headers,
      text: read,
      body: (isJson && read !== '' ? JSON.parse(read) : {}) as Answer['body'],
    };
  };
}

/** Enrols a gateway in a fleet; says its id. */
export async function enrolIn(office: Office, fleet: string): Promise<string> {
  // Whether it has expired is the database's clock to say, which goes on while the office's stands still.
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const made = await office.call('POST', `${fleetsPath}/${fleet}/enrolment-tokens`, {
    body: { bridge: 'http://127.0.0.1:18092', usesMax: 1, expiresAt },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const gateway = await office.repository.enrol({
    token: String(made.body['token']),
    signingKey: randomBytes(32),
    sealingKey: randomBytes(32),
    hostname: 'edge-1',
    version: '0.1.0',
  });
  return gateway.id;
}

function decode(kind: RecordKind, payload: Uint8Array): object {
  switch (kind) {
    case 'api':
      return decodeApi(payload);
    case 'subscription':
      return decodeSubscription(payload);
    case 'api-key':
      return decodeApiKey(payload);
    case 'dictionary':
      return decodeDictionary(payload);
    case 'shared-policy-group':
      return decodeSharedPolicyGroup(payload);
    case 'organization-flows':
      return decodeOrganizationFlows(payload);
    default:
      return {};
  }
}
