import { z } from 'zod';

import { isJson, type Json } from '../../proto/definition/opened.ts';
import type { FaultDetail } from '../../proto/faults/fault.ts';
import { detailsOf, pathText } from '../../proto/faults/issues.ts';
import { certificateCharsMax } from '../../proto/trust/client-certificates.ts';
import { apiKeyHash } from '../../proto/trust/keys.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import { type CertificateRef, encodeApiKey, encodeSubscription } from '../../proto/wire/payloads.ts';
import { Holders } from './holders.ts';
import type { LocalRecord } from './records.ts';
import {
  dictionaryRecord,
  dictionarySchema,
  groupRecord,
  organizationFlowsRecord,
  text,
  word,
} from './shared-records.ts';

/** Names of the file that holds what belongs to all definitions; every other file is an API. */
export const settingsNames: readonly string[] = ['isthmus.json', 'isthmus.yaml', 'isthmus.yml'];

const time = z
  .union([z.int().min(0), z.iso.datetime({ offset: true }), z.iso.date()])
  .transform((value) => (typeof value === 'number' ? value : Date.parse(value)));

/** Any entry with an id, too. */
const groupSchema = z.looseObject({ id: text(128) });
const flowsSchema = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]);
const nameSchema = text(wireLimits.nameCharsMax);
/** Its id, which attributes and records have as on the platform; with a name beside it, which `#subscription.applicationName` reads. */
const applicationSchema = z.union([
  text(128).transform((id) => ({ id, name: id })),
  z
    .strictObject({ id: text(128), name: nameSchema.optional() })
    .transform(({ id, name = id }) => ({ id, name })),
]);
const subscriptionSchema = z.strictObject({
  id: text(128),
  api: text(128),
  plan: text(128),
  application: applicationSchema,
  /** Of the application, where its name is not said with its id. */
  applicationName: nameSchema.optional(),
  clientId: text(256).optional(),
  /** PEM, several too, or PKCS7. */
  clientCertificate: text(certificateCharsMax).optional(),
  apiKeys: z.array(text(256)).max(100).default([]),
  status: z.enum(['ACCEPTED', 'PAUSED', 'CLOSED', 'PENDING', 'REJECTED', 'RESUMED']).default('ACCEPTED'),
  startingAt: time.optional(),
  endingAt: time.optional(),
  metadata: z
    .record(text(128), word)
    .refine(
      (metadata) => Object.keys(metadata).length <= wireLimits.metadataEntriesMax,
      `at most ${wireLimits.metadataEntriesMax} entries`,
    )
    .default({}),
});

type Dictionary = z.output<typeof dictionarySchema>;
type Group = z.output<typeof groupSchema>;
type Subscription = z.output<typeof subscriptionSchema> & { readonly shown?: readonly CertificateRef[] };

/** The sections of the file as they are written; what is in them is judged entry by entry. */
const sections = {
  dictionaries: z
    .record(z.string(), z.unknown())
    .refine((each) => Object.keys(each).length <= 1_000, 'at most 1000 dictionaries'),
  organizationFlows: flowsSchema,
  sharedPolicyGroups: z.array(z.unknown()).max(10_000),
  subscriptions: z.array(z.unknown()).max(100_000),
};

/** The entries of the file that count, by name: those that are right, and of those that are wrong what they said before. */
export interface SettingsEntries {
  readonly dictionaries: ReadonlyMap<string, Dictionary>;
  readonly organizationFlows: z.output<typeof flowsSchema> | undefined;
  readonly sharedPolicyGroups: ReadonlyMap<string, Group>;
  /** Where they stand in the file, by id. */
  readonly groupPlaces: ReadonlyMap<string, string>;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
}

const noEntries: SettingsEntries = {
  dictionaries: new Map(),
  organizationFlows: undefined,
  sharedPolicyGroups: new Map(),
  groupPlaces: new Map(),
  subscriptions: new Map(),
};

type Tell = (...wrong: readonly FaultDetail[]) => void;

/** An entry as it is written; one that does not say its name cannot be told from those that were there before. */
interface Written {
  readonly name: string | undefined;
  readonly place: string;
  readonly value: unknown;
}

/**
 * Reads the file entry by entry: one that is wrong takes no other with it, and stays what it was in `before`.
 *
 * Where an entry that is wrong does not even say which it is, no entry of its section is taken away.
 */
export function readSettings(
  documents: readonly unknown[],
  before: SettingsEntries = noEntries,
): { readonly entries: SettingsEntries; readonly problems: readonly FaultDetail[] } {
  const [content, ...others] = documents;
  const problems: FaultDetail[] = [];
  const tell: Tell = (...wrong) => void problems.push(...wrong);
  if (others.some((other) => other !== null))
    tell({ path: '', message: `holds ${documents.length} documents, of which only the first counts` });
  if (content !== null && !isJson(content)) throw new Error('must be an object');
  const written = new Map(Object.entries(content ?? {}));
  const foreign = [...written.keys()].filter((key) => !Object.hasOwn(sections, key));
  /** Undefined: it cannot be read, and what it said before stays. */
  const section = <Name extends keyof typeof sections>(
    name: Name,
    absent: z.output<(typeof sections)[Name]>,
  ): z.output<(typeof sections)[Name]> | undefined => {
    if (!written.has(name)) return absent;
    const parsed = z.safeParse(sections[name], written.get(name));
    if (!parsed.success) tell(...detailsOf(parsed.error.issues, name));
    return parsed.data as z.output<(typeof sections)[Name]> | undefined;
  };
  const listed = (name: 'sharedPolicyGroups' | 'subscriptions'): readonly Written[] | undefined =>
    section(name, [])?.map((value, index) => ({
      name: groupSchema.safeParse(value).data?.id,
      place: pathText([index], name),
      value,
    }));
  const dictionaries = section('dictionaries', {});
  const groups = listed('sharedPolicyGroups');
  const subscriptions = listed('subscriptions');
  const holders = new Holders();
  const entries: SettingsEntries = {
    dictionaries: judged(
      dictionaries && namedIn(dictionaries, tell),
      { what: 'dictionary', schema: dictionarySchema, before: before.dictionaries, admit: (one) => one },
      tell,
    ),
    organizationFlows: written.has('organizationFlows')
      ? (section('organizationFlows', []) ?? before.organizationFlows)
      : undefined,
    sharedPolicyGroups: judged(
      groups,
      {
        what: 'shared policy group',
        schema: groupSchema,
        before: before.sharedPolicyGroups,
        admit: (one) => one,
      },
      tell,
    ),
    groupPlaces: new Map(
      groups?.flatMap(({ name, place }) => (name === undefined ? [] : [[name, place] as const])),
    ),
    subscriptions: judged<Subscription, Subscription>(
      subscriptions,
      {
        what: 'subscription',
        schema: subscriptionSchema,
        before: before.subscriptions,
        admit: (one) => ({ ...one, shown: holders.admit(one) }),
      },
      tell,
    ),
  };
  if (foreign.length > 0) tell({ path: '', message: misplaced(foreign) });
  return { entries, problems };
}

function misplaced(foreign: readonly string[]): string {
  return `${foreign.join(', ')} ${foreign.length === 1 ? 'does' : 'do'} not belong here: this file holds subscriptions, dictionaries, sharedPolicyGroups and organizationFlows, which belong to the definitions; settings of the gateway stand in the file that --config names, outside of the folder`;
}

function namedIn(dictionaries: Json, tell: Tell): readonly Written[] {
  return Object.entries(dictionaries).flatMap(([name, value]) => {
    const place = pathText([name], 'dictionaries');
    const { error } = text(256).safeParse(name);
    if (error !== undefined) tell(...detailsOf(error.issues, place));
    return error === undefined ? [{ name, place, value }] : [];
  });
}

interface Judge<Parsed, Entry extends Parsed> {
  readonly what: string;
  readonly schema: z.ZodType<Parsed>;
  readonly before: ReadonlyMap<string, Entry>;
  /** Errors: Error when it does not go with those that were admitted already. */
  readonly admit: (parsed: Parsed) => Entry;
}

function judged<Parsed, Entry extends Parsed>(
  written: readonly Written[] | undefined,
  { what, schema, before, admit }: Judge<Parsed, Entry>,
  tell: Tell,
): ReadonlyMap<string, Entry> {
  if (written === undefined) return before;
  const taken = new Map<string, Entry>();
  const names = new Set<string>();
  const take = (name: string, parsed: Parsed, place: string): boolean => {
    try {
      taken.set(name, admit(parsed));
      return true;
    } catch (error) {
      tell({ path: place, message: error instanceof Error ? error.message : String(error) });
      return false;
    }
  };
  let isAnyNameless = false;
  for (const { name, place, value } of written) {
    if (name !== undefined && names.has(name)) {
      tell({ path: place, message: `${what} "${name}" is there twice` });
      continue;
    }
    const { data, error } = schema.safeParse(value);
    if (error !== undefined) tell(...detailsOf(error.issues, place));
    isAnyNameless ||= name === undefined;
    if (name === undefined) continue;
    names.add(name);
    if (data !== undefined && take(name, data, place)) continue;
    const kept = before.get(name);
    if (kept !== undefined) take(name, kept, place);
  }
  if (!isAnyNameless) return taken;
  for (const [name, kept] of before) if (!names.has(name)) take(name, kept, what);
  return taken;
}

/** The records of the entries; keys are told by their hash alone. */
export function settingsRecords(
  { dictionaries, organizationFlows, sharedPolicyGroups, groupPlaces, subscriptions }: SettingsEntries,
  {
    file,
    organization,
    environment,
  }: { readonly file: string; readonly organization: string; readonly environment: string },
): readonly LocalRecord[] {
  const records: LocalRecord[] = [...dictionaries].map(([name, words]) =>
    dictionaryRecord(name, words, { file }),
  );
  if (organizationFlows !== undefined)
    records.push(organizationFlowsRecord(organizationFlows, { organization, file }));
  for (const group of sharedPolicyGroups.values()) {
    const to = groupPlaces.get(group.id);
    records.push(groupRecord(group, { file, at: to === undefined ? undefined : { from: '', to } }));
  }
  const keys = new Map<string, { readonly api: string; readonly subscriptions: string[] }>();
  for (const subscription of subscriptions.values()) {
    const { id, api, plan, apiKeys, status } = subscription;
    const to = isOver(status) ? undefined : { api, plan };
    records.push({ kind: 'subscription', id, file, payload: payloadOf(subscription), to });
    for (const key of apiKeys) {
      const known = keys.get(key);
      if (known === undefined) keys.set(key, { api, subscriptions: [id] });
      else known.subscriptions.push(id);
    }
  }
  for (const [key, { api, subscriptions: ids }] of keys) {
    const hash = apiKeyHash(environment, key);
    // The id must not give the key away, and must be the same whenever the key is.
    const id = Buffer.from(hash).toString('hex').slice(0, 32);
    const payload = encodeApiKey({ id, hash, api, subscriptions: ids, isRevoked: false });
    records.push({ kind: 'api-key', id, file, payload });
  }
  return records;
}

/** Nobody waits to be let in by it. */
const isOver = (status: Subscription['status']): boolean => status === 'CLOSED' || status === 'REJECTED';

function payloadOf(subscription: Subscription): Uint8Array {
  const { id, api, plan, application, applicationName = application.name, metadata, status } = subscription;
  const { startingAt, endingAt, clientId, shown = [] } = subscription;
  return encodeSubscription({
    id,
    api,
    plan,
    application: application.id,
    applicationName,
    metadata: new Map(Object.entries(metadata)),
    status,
    ...(clientId !== undefined && { clientId }),
    ...(shown.length > 0 && { certificates: shown }),
    ...(startingAt !== undefined && { startingAtMs: startingAt }),
    ...(endingAt !== undefined && { endingAtMs: endingAt }),
  });
}
