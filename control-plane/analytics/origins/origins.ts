import { LRUCache } from 'lru-cache';
import { isEntitled } from '../../../proto/trust/entitlement.ts';
import type { LandingKey } from '../../../proto/wire/blobs.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Grant, Origin } from '../duck-jobs.ts';
import type { EnrolledGateway, OriginStore } from './origins.store.ts';

/** Whom a landing object is of. */
export type Sender =
  | {
      readonly kind: 'enrolled';
      /** Its names, the newest first: before it enrolled again it had others. */
      readonly gateways: readonly string[];
      /** The name under which its spools are counted: the first that it had. */
      readonly root: string;
      readonly enrolledAtMs: number;
      /** Those that it was in. */
      readonly fleets: readonly string[];
    }
  /**
   * The database knows no such gateway. No bridge takes anything of one, so whoever put the object has credentials of the bucket (a
   * gateway that never enrolled, with an output of its own), or the database is an older one than the bucket.
   */
  | { readonly kind: 'unknown' }
  /** The key names a gateway that is another organization's, or of another fleet. */
  | { readonly kind: 'lying' };

/** Under which name a spool is counted; undefined where nobody can say which gateways are one. */
export const rootOf = (sender: Sender): string | undefined =>
  sender.kind === 'enrolled' ? sender.root : undefined;

/** What clocks of gateways may be off, in both directions. */
export const clockToleranceMs = 3_600_000;
/** What requests that no API took are recorded for. */
const strayApi = '1';
const predecessorsMax = 100;
const rememberedMax = 10_000;

/** Says what those whose records arrive may say in them. */
export class Origins {
  readonly #store: OriginStore;
  /** Rows of gateways never change in what matters here; that there is none may. */
  readonly #gateways = new LRUCache<string, EnrolledGateway>({ max: rememberedMax });
  /** Ids of APIs by environment and fleets, as of a sequence number. */
  readonly #grants = new LRUCache<string, { readonly seq: number; readonly apis: readonly string[] }>({
    max: 100,
  });

  constructor(store: OriginStore) {
    this.#store = store;
  }

  /** Errors: storage.unavailable. */
  async sender(key: Pick<LandingKey, 'organization' | 'fleet' | 'gateway'>): Promise<Sender> {
    const first = await this.#gateway(key.gateway);
    if (first === undefined) return { kind: 'unknown' };
    if (first.organization !== key.organization || first.fleet !== key.fleet) return { kind: 'lying' };
    const gateways = [first.id];
    const fleets = new Set([first.fleet]);
    let { enrolledAtMs } = first;
    for (let next = first.previous; next !== undefined && gateways.length < predecessorsMax;) {
      const before = await this.#gateway(next);
      if (before !== undefined && before.organization !== first.organization) break;
      gateways.push(next);
      // One that a restored database forgot: nobody knows since when it was there, and in which fleet.
      enrolledAtMs = Math.min(enrolledAtMs, before?.enrolledAtMs ?? 0);
      if (before !== undefined) fleets.add(before.fleet);
      next = before?.previous;
    }
    const root = gateways.at(-1) ?? first.id;
    return { kind: 'enrolled', gateways, root, enrolledAtMs, fleets: [...fleets] };
  }

  /** What a conversion holds the records of some landing objects against. Errors: storage.unavailable. */
  async judgement<Item extends { readonly sender: Sender; readonly key: Pick<LandingKey, 'gateway'> }>(
    at: EnvironmentRef,
    items: readonly Item[],
  ): Promise<{
    readonly judged: readonly { readonly item: Item; readonly origin: Origin }[];
    readonly grants: readonly Grant[];
  }> {
    const untilMs = (await this.#store.nowMs()) + clockToleranceMs;
    const grants = new Map<string, Grant>();
    const judged: { readonly item: Item; readonly origin: Origin }[] = [];
    for (const item of items) {
      const { sender, key } = item;
      if (sender.kind !== 'enrolled') {
        judged.push({ item, origin: { gateways: [key.gateway], sinceMs: 0, untilMs } });
        continue;
      }
      const { gateways, fleets, enrolledAtMs } = sender;
      const grant = fleets.join(' ');
      if (!grants.has(grant)) grants.set(grant, { name: grant, apis: await this.#apis(at, fleets) });
      judged.push({ item, origin: { gateways, sinceMs: enrolledAtMs - clockToleranceMs, untilMs, grant } });
    }
    return { judged, grants: [...grants.values()] };
  }

  /**
   * APIs that those fleets were ever entitled to in the environment.
   *
   * Ever, since a record may be days behind what is granted now: an API that was deleted, or has other tags by now, was called then.
   */
  async #apis(at: EnvironmentRef, fleets: readonly string[]): Promise<readonly string[]> {
    const name = [at.organization, at.environment, ...fleets].join(' ');
    // Read first: what is published behind it is looked for again. A fleet's tags are published in its environments too.
    const seq = await this.#store.seq(at);
    const known = this.#grants.get(name);
    if (known?.seq === seq) return known.apis;
    const ofFleets = [...(await this.#store.fleets(at.organization, fleets)).values()].flat();
    const apis = [...(await this.#store.apis(at))].flatMap(([id, tagsOfApi]) =>
      ofFleets.some((tags) => tagsOfApi.some((own) => isEntitled(tags, own))) ? [id] : [],
    );
    apis.push(strayApi);
    this.#grants.set(name, { seq, apis });
    return apis;
  }

  async #gateway(id: string): Promise<EnrolledGateway | undefined> {
    const known = this.#gateways.get(id) ?? (await this.#store.gateway(id));
    if (known !== undefined) this.#gateways.set(id, known);
    return known;
  }
}
