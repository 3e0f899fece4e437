import { parse as parsePath } from 'node:path';

import { glanceAt } from '../../proto/definition/glance.ts';
import type { Json } from '../../proto/definition/opened.ts';
import {
  isApiResource,
  isKubernetesObject,
  type KubernetesObject,
  Objects,
  resolved,
} from '../../proto/definition/resources.ts';
import type { FaultDetail } from '../../proto/faults/fault.ts';
import { isEntitled } from '../../proto/trust/entitlement.ts';
import { encodeApi, encodeGatewaySettings } from '../../proto/wire/payloads.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import type { RecordKind } from '../../proto/wire/published.ts';
import type { PlaceInFile } from '../gateway/deploy/change.ts';
import type { LocalFile } from './files.ts';
import { readSettings, type SettingsEntries, settingsNames, settingsRecords } from './settings-file.ts';
import { dictionaryOfObject, groupOfObject } from './shared-records.ts';

/** A record made from files, before it has a number. */
export interface LocalRecord {
  readonly kind: RecordKind;
  readonly id: string;
  readonly payload: Uint8Array;
  /** The file it came from. */
  readonly file: string;
  /** Which of the file's documents it is, from 1, when there are several. */
  readonly document?: number | undefined;
  /** Where in the file it stands, where it is not the whole document. */
  readonly at?: PlaceInFile | undefined;
  /** What is most likely a slip although it can be served. */
  readonly warning?: string | undefined;
  /** Of a subscription that is to let somebody in: to what. */
  readonly to?: { readonly api: string; readonly plan: string } | undefined;
}

/** Whom the records are for, and what custom resources may refer to. */
export interface RecordOptions {
  readonly organization: string;
  readonly environment: string;
  /** Sharding tags of the gateway; APIs that are not for it make no record. */
  readonly tags: readonly string[];
  readonly objects: Objects;
}

/** What a file says. */
export interface FileRecords {
  readonly records: readonly LocalRecord[];
  /** Entries of `isthmus.yaml` that are wrong, with their places; what they said before is among the records. */
  readonly problems: readonly FaultDetail[];
  /** Ids of APIs that it holds and this gateway does not serve: they are off, or have other sharding tags. */
  readonly unserved: readonly string[];
  readonly entries?: SettingsEntries;
}

/** Turns one file into records; `before` is what it said last. Errors: Error with what is wrong with the whole, in one line. */
export function recordsOf(file: LocalFile, options: RecordOptions, before?: FileRecords): FileRecords {
  if (settingsNames.includes(file.name)) {
    const { entries, problems } = readSettings(file.documents, before?.entries);
    const records = settingsRecords(entries, { ...options, file: file.name });
    return { records, problems, unserved: [], entries };
  }
  const unserved: string[] = [];
  const records = file.documents.flatMap((document, index) => {
    const place = { file: file.name, document: file.documents.length > 1 ? index + 1 : undefined };
    if (isApi({ document })) return apiRecords(document, { ...options, unserved }, place);
    if (!isKubernetesObject(document)) return [];
    if (isDictionary(document)) return dictionaryOfObject(document, options.objects, place);
    return isGroup(document) ? [groupOfObject(document, options.objects, place)] : [];
  });
  return { records, problems: [], unserved };
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
    (document) =>
      isKubernetesObject(document) &&
      (isApiResource(document) || isGroup(document) || isDictionary(document)),
  );
}

const isGroup = ({ kind }: KubernetesObject): boolean => kind === 'SharedPolicyGroup';

const isDictionary = ({ kind, apiVersion }: KubernetesObject): boolean =>
  kind === 'Dictionary' && apiVersion.startsWith('gravitee.io/');

/** Manifests of other kinds stand beside those of APIs. */
export const isApi = ({ document }: { readonly document: unknown }): boolean =>
  !isKubernetesObject(document) || isApiResource(document);

/** An API with the objects that it refers to in their places. Errors: Error for what is none, or whose objects are not there. */
export function wholeApi(document: unknown, objects: Objects): Json {
  if (!isRecord(document)) throw new Error('is not an API definition: it must be an object');
  return isKubernetesObject(document) ? resolved(document, objects) : document;
}

function apiRecords(
  document: unknown,
  { objects, tags, unserved }: RecordOptions & { readonly unserved: string[] },
  place: Pick<LocalRecord, 'file' | 'document'>,
): readonly LocalRecord[] {
  const whole = wholeApi(document, objects);
  const { id = parsePath(place.file).name, name = id, version = '1', ...glance } = glanceAt(whole);
  const recordId = fitting(id, wireLimits.idCharsMax);
  if (glance.isOff || !isEntitled(tags, tagsOf(glance.api))) {
    unserved.push(recordId);
    return [];
  }
  const payload = encodeApi({
    id: recordId,
    name: fitting(name, wireLimits.nameCharsMax),
    revision: fitting(version, wireLimits.revisionCharsMax),
    definition: JSON.stringify(glance.named({ id, name })),
  });
  const warning = glance.hasServedPlan || !glance.isLikeApi ? undefined : withoutPlan;
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
