import { z } from '@hono/zod-openapi';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import type { Desk } from '../desk.ts';
import { idSchema } from '../fields.ts';
import { readableApi } from './api-gate.ts';
import { definitionsWith, findTaken } from './apis.store.ts';
import { otherApi, placeText } from './apis.ts';
import { type DraftDefinition, hostSchema, pathSchema } from './definition.ts';
import { type ClaimedPath, repeatedPath } from './paths.ts';

/** Body that asks whether an API could have these paths. What is wrong with one is the answer, and no refusal. */
export const verifyPathsSchema = z
  .strictObject({
    apiId: idSchema.optional(),
    paths: z
      .array(
        z.strictObject({
          host: z.string().max(apiLimits.hostCharsMax).optional(),
          path: z.string().max(apiLimits.pathCharsMax).optional(),
          overrideAccess: z.boolean().optional(),
        }),
      )
      .max(apiLimits.pathsMax),
  })
  .openapi('VerifyApiPaths');

/** Body that asks the same of hosts of a TCP or Kafka API. */
export const verifyHostsSchema = z
  .strictObject({
    apiId: idSchema.optional(),
    listenerType: z.enum(['HTTP', 'SUBSCRIPTION', 'TCP', 'KAFKA']).optional(),
    hosts: z.array(z.string().max(apiLimits.hostCharsMax)).max(apiLimits.pathsMax),
  })
  .openapi('VerifyApiHosts');

/** Whether it could, and if not, why. */
export const verifiedSchema = z.object({ ok: z.boolean(), reason: z.string().optional() });

type Verified = z.infer<typeof verifiedSchema>;
const fine: Verified = { ok: true };
const no = (reason: string): Verified => ({ ok: false, reason });

/** Whether an API, or a new one, could have these paths on the servers that it names, or on all. Errors: those of {@link readableApi}. */
export async function verifyPaths(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: z.infer<typeof verifyPathsSchema> },
): Promise<Verified> {
  const { db } = desk.storage;
  const id = wish.apiId;
  const api = id === undefined ? undefined : await readableApi(db, actor, { at, id });
  const servers = api === undefined ? [''] : serversOf(JSON.parse(api.definition) as DraftDefinition);
  const claimed: ClaimedPath[] = [];
  for (const [index, one] of wish.paths.entries()) {
    const parsed = pathSchema.safeParse(one);
    const location = `paths[${index}]`;
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return no(`${location}.${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`);
    }
    const host = (parsed.data.host ?? '').toLowerCase();
    const path = parsed.data.path.endsWith('/') ? parsed.data.path : `${parsed.data.path}/`;
    claimed.push(...servers.map((server) => ({ host, path, server, location })));
  }
  const repeated = repeatedPath(claimed);
  if (repeated !== undefined) return no(`${placeText(repeated)} is there twice.`);
  const taken = await findTaken(db, at, { paths: claimed, except: id });
  if (taken === undefined) return fine;
  return no(`${otherApi(actor, taken.by)} has ${placeText({ ...taken.path, server: taken.server })}.`);
}

/** Ids of the servers that its HTTP listeners name; '' when one is on all of them. */
function serversOf({ listeners }: DraftDefinition): readonly string[] {
  const named = listeners.flatMap((listener) => (listener.type === 'HTTP' ? [listener.servers ?? []] : []));
  const isOnAll = named.length === 0 || named.some((servers) => servers.length === 0);
  return isOnAll ? [''] : [...new Set(named.flat())];
}

/** Whether a TCP or Kafka API, or a new one, could have these hosts. Errors: those of {@link readableApi}. */
export async function verifyHosts(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: z.infer<typeof verifyHostsSchema> },
): Promise<Verified> {
  const { db } = desk.storage;
  if (wish.apiId !== undefined) await readableApi(db, actor, { at, id: wish.apiId });
  const type = wish.listenerType ?? 'TCP';
  if (type !== 'TCP' && type !== 'KAFKA') return no(`Listeners of type ${type} have no hosts of their own.`);
  if (wish.hosts.length === 0) return no('At least one host is needed.');
  const hosts = wish.hosts.map((host) => host.toLowerCase());
  const wrong = hosts.find((host) => !hostSchema.safeParse(host).success);
  if (wrong !== undefined) return no(`"${wrong}" must be a host name such as api.example.com.`);
  const repeated = hosts.find((host, index) => hosts.indexOf(host) !== index);
  if (repeated !== undefined) return no(`${repeated} is there twice.`);
  for (const api of await definitionsWith(db, at, { listener: type, except: wish.apiId })) {
    const theirs = hostsOf(JSON.parse(api.definition) as DraftDefinition, type);
    const taken = hosts.find((host) => theirs.includes(host));
    if (taken !== undefined) return no(`${otherApi(actor, api)} has ${taken}.`);
  }
  return fine;
}

function hostsOf({ listeners }: DraftDefinition, type: 'TCP' | 'KAFKA'): readonly string[] {
  return listeners
    .flatMap((listener) => {
      if (listener.type !== type) return [];
      return listener.type === 'TCP' ? listener.hosts : [listener.host];
    })
    .map((host) => host.toLowerCase());
}
