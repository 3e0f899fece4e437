import { parse as parsePath } from 'node:path';
import { z } from 'zod';

import { glanceAt } from '../../proto/definition/glance.ts';
import {
  isApiResource,
  isKubernetesObject,
  type KubernetesObject,
  Objects,
  resolved,
} from '../../proto/definition/resources.ts';
import { detailsOf } from '../../proto/faults/issues.ts';
import { isEntitled } from '../../proto/trust/entitlement.ts';
import { certificateCharsMax } from '../../proto/trust/client-certificates.ts';
import { apiKeyHash } from '../../proto/trust/keys.ts';
import {
  encodeApi,
  encodeApiKey,
  encodeDictionary,
  encodeGatewaySettings,
  encodeSubscription,
} from '../../proto/wire/payloads.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import type { RecordKind } from '../../proto/wire/published.ts';
import { ClientCertificates } from './client-certificates.ts';
import type { LocalFile } from './files.ts';
import { groupOfObject, groupRecord, organizationFlowsRecord } from './shared-records.ts';

/** A record made from files, before it has a number. */
export interface LocalRecord {
  readonly kind: RecordKind;
  readonly id: string;
  readonly payload: Uint8Array;
  /** The file it came from. */
  readonly file: string;
  /** Which of the file's documents it is, from 1, when there are several. */
  readonly document?: number | undefined;
  /** What is most likely a slip although it can be served. */
  readonly warning?: string | undefined;
}

/** Names of the file that holds what belongs to all definitions; every other file is an API. */
const settingsNames: readonly string[] = ['isthmus.json', 'isthmus.yaml', 'isthmus.yml'];

const time = z
  .union([z.int().min(0), z.iso.datetime({ offset: true }), z.iso.date()])
  .transform((value) => (typeof value === 'number' ? value : Date.parse(value)));

const text = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .refine((value) => value.isWellFormed(), 'holds half a character (a lone surrogate), which is no text');

const word = z.union([z.string(), z.number(), z.boolean()]).transform(String).pipe(z.string().max(65_536));

const settingsSchema = z.strictObject({
  /** By name; what is in them is text. */
  dictionaries: z
    .record(text(256), z.record(text(256), word))
    .refine((each) => Object.keys(each).length <= 1_000, 'at most 1000 dictionaries')
    .default({}),
  organizationFlows: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).optional(),
  sharedPolicyGroups: z
    .array(z.looseObject({ id: text(128) }))
    .max(10_000)
    .default([]),
  subscriptions: z
    .array(
      z.strictObject({
        id: text(128),
        api: text(128),
        plan: text(128),
        application: text(128),
        /** As expressions read it; the application's id unless it is said. */
        applicationName: text(wireLimits.nameCharsMax).optional(),
        clientId: text(256).optional(),
        /** PEM, several too, or PKCS7. */
        clientCertificate: text(certificateCharsMax).optional(),
        apiKeys: z.array(text(256)).max(100).default([]),
        status: z
          .enum(['ACCEPTED', 'PAUSED', 'CLOSED', 'PENDING', 'REJECTED', 'RESUMED'])
          .default('ACCEPTED'),
        startingAt: time.optional(),
        endingAt: time.optional(),
        metadata: z
          .record(text(128), word)
          .refine(
            (metadata) => Object.keys(metadata).length <= wireLimits.metadataEntriesMax,
            `at most ${wireLimits.metadataEntriesMax} entries`,
          )
          .default({}),
      }),
    )
    .max(100_000)
    .default([]),
});

/** Whom the records are for, and what custom resources may refer to. */
export interface RecordOptions {
  readonly organization: string;
  readonly environment: string;
  /** Sharding tags of the gateway; APIs that are not for it make no record. */
  readonly tags: readonly string[];
  readonly objects: Objects;
}

/** Turns one file into records. Errors: Error with what is wrong, in one line. */
export function recordsOf(file: LocalFile, options: RecordOptions): readonly LocalRecord[] {
  if (settingsNames.includes(file.name)) return settingsRecords(file, options);
  return file.documents.flatMap((document, index) => {
    const place = { file: file.name, document: file.documents.length > 1 ? index + 1 : undefined };
    if (isApi({ document })) return apiRecords(document, options, place);
    return isKubernetesObject(document) && isGroup(document)
      ? [groupOfObject(document, options.objects, place)]
      : [];
  });
}

/** The objects of Kubernetes in files that are no API, which APIs may refer to. */
export function objectsOf(files: Iterable<LocalFile>): readonly KubernetesObject[] {
  return [...files].flatMap(({ documents }) =>
    documents.filter(isKubernetesObject).filter((object) => !isApiResource(object)),
  );
}

/** The APIs of a file, each with the objects in its place that stand beside it in the file. */
export function apisOf(file: LocalFile): readonly unknown[] {
  const objects = new Objects(objectsOf([file]));
  return file.documents
    .filter((document) => isApi({ document }))
    .map((document) => (isKubernetesObject(document) ? resolved(document, objects) : document));
}

/** Says whether a file holds a custom resource of which records are made, so that they are made anew when other objects change. */
export function hasResource({ documents }: LocalFile): boolean {
  return documents.some(
    (document) => isKubernetesObject(document) && (isApiResource(document) || isGroup(document)),
  );
}

const isGroup = ({ kind }: KubernetesObject): boolean => kind === 'SharedPolicyGroup';

/** Manifests of other kinds stand beside those of APIs. */
const isApi = ({ document }: { readonly document: unknown }): boolean =>
  !isKubernetesObject(document) || isApiResource(document);

function apiRecords(
  document: unknown,
  { objects, tags }: RecordOptions,
  place: Pick<LocalRecord, 'file' | 'document'>,
): readonly LocalRecord[] {
  if (!isRecord(document)) throw new Error('is not an API definition: it must be an object');
  const whole = isKubernetesObject(document) ? resolved(document, objects) : document;
  const { id = parsePath(place.file).name, name = id, version = '1', ...glance } = glanceAt(whole);
  if (glance.isOff || !isEntitled(tags, tagsOf(glance.api))) return [];
  const recordId = fitting(id, wireLimits.idCharsMax);
  const payload = encodeApi({
    id: recordId,
    name: fitting(name, wireLimits.nameCharsMax),
    revision: fitting(version, wireLimits.revisionCharsMax),
    definition: JSON.stringify(glance.named({ id, name })),
  });
  const warning = glance.hasServedPlan ? undefined : withoutPlan;
  return [{ kind: 'api', id: recordId, payload, warning, ...place }];
}

/** Of what is no list of tags the definition says itself that it is none. */
function tagsOf({ tags }: Readonly<Record<string, unknown>>): readonly string[] {
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
}

/** Sharding tags and tenant of a gateway of files. */
export interface LocalStanding {
  readonly tags: readonly string[];
  readonly tenant: string | undefined;
}

/** What a bridge would say of the gateway's fleet. */
export function settingsRecord({ tags, tenant }: LocalStanding): LocalRecord {
  const payload = encodeGatewaySettings({
    fleet: 'local',
    tags,
    ...(tenant !== undefined && { tenant }),
    isRevoked: false,
  });
  return { kind: 'gateway-settings', id: 'local', payload, file: '' };
}

const withoutPlan =
  'the API has no published plan: every request is answered with 401; for an API that is open to everybody say plans: [{ id: open, security: { type: KEY_LESS } }]';

/** What fits into a record, so that the definition itself is read and refused, with its path. */
function fitting(text: string, charsMax: number): string {
  return text.slice(0, charsMax).toWellFormed();
}

function settingsRecords(
  { name: file, documents: [content] }: LocalFile,
  { organization, environment }: RecordOptions,
): readonly LocalRecord[] {
  const isOwn = (key: string): boolean => Object.hasOwn(settingsSchema.shape, key);
  const foreign = isRecord(content) ? Object.keys(content).filter((key) => !isOwn(key)) : [];
  const misplaced =
    foreign.length === 0
      ? []
      : [
          `${foreign.join(', ')} ${foreign.length === 1 ? 'does' : 'do'} not belong here: this file holds subscriptions, dictionaries, sharedPolicyGroups and organizationFlows, which belong to the definitions; settings of the gateway stand in the file that --config names, outside of the folder`,
        ];
  const own = isRecord(content)
    ? Object.fromEntries(Object.entries(content).filter(([key]) => isOwn(key)))
    : (content ?? {});
  const parsed = settingsSchema.safeParse(own);
  const wrong = detailsOf(parsed.error?.issues ?? []).map(({ path, message }) => `${path} ${message}`);
  if (!parsed.success || misplaced.length > 0) throw new Error([...wrong, ...misplaced].join('; '));
  const records: LocalRecord[] = Object.entries(parsed.data.dictionaries).map(([name, words]) => {
    const entries = Object.entries(words).map(([key, value]) => ({ key, value }));
    return { kind: 'dictionary', id: name, file, payload: encodeDictionary({ id: name, name, entries }) };
  });
  const { organizationFlows: flows } = parsed.data;
  if (flows !== undefined) records.push(organizationFlowsRecord(flows, { organization, file }));
  const groups = new Set<string>();
  for (const group of parsed.data.sharedPolicyGroups) {
    if (groups.has(group.id)) throw new Error(`shared policy group "${group.id}" is there twice`);
    groups.add(group.id);
    records.push(groupRecord(group, { file }));
  }
  const keys = new Map<string, { readonly api: string; readonly subscriptions: string[] }>();
  const seen = new Set<string>();
  const certificates = new ClientCertificates();
  for (const subscription of parsed.data.subscriptions) {
    const { id, api, plan, application, status, startingAt, endingAt, apiKeys, clientId } = subscription;
    const shown = certificates.of(subscription);
    const { applicationName = application, metadata } = subscription;
    if (seen.has(id)) throw new Error(`subscription "${id}" is there twice`);
    seen.add(id);
    const payload = encodeSubscription({
      id,
      api,
      plan,
      application,
      applicationName,
      metadata: new Map(Object.entries(metadata)),
      status,
      ...(clientId !== undefined && { clientId }),
      ...(shown.length > 0 && { certificates: shown }),
      ...(startingAt !== undefined && { startingAtMs: startingAt }),
      ...(endingAt !== undefined && { endingAtMs: endingAt }),
    });
    records.push({ kind: 'subscription', id, file, payload });
    for (const key of apiKeys) {
      const known = keys.get(key);
      if (known === undefined) keys.set(key, { api, subscriptions: [id] });
      else known.subscriptions.push(id);
    }
  }
  for (const [key, { api, subscriptions }] of keys) {
    const hash = apiKeyHash(environment, key);
    // The id must not give the key away, and must be the same whenever the key is.
    const id = Buffer.from(hash).toString('hex').slice(0, 32);
    const payload = encodeApiKey({ id, hash, api, subscriptions, isRevoked: false });
    records.push({ kind: 'api-key', id, file, payload });
  }
  return records;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
