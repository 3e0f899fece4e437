import type { SetRecord } from './change.ts';
import type { Place } from './definitions.ts';

/** An API that holds hosts and context paths. */
export interface PlaceOwner {
  readonly id: string;
  readonly environment: string;
  /** See {@link SetRecord}. */
  readonly file?: string | undefined;
}

/** A place that somebody holds already. */
export interface TakenPlace extends PlaceOwner {
  readonly place: Place;
}

/** A record that was refused since another API had one of its places. */
export interface WaitingRecord {
  readonly owner: PlaceOwner;
  readonly places: readonly Place[];
  readonly record: SetRecord;
}

/** Who holds which host and context path on each server of this gateway, whether or not he is served there yet. */
export class Places {
  readonly #owners = new Map<string, PlaceOwner>();
  /** In the order in which they were refused: who came first is first when a place is free. */
  readonly #waiting = new Map<string, WaitingRecord>();

  /**
   * Claims all places for an API or none.
   *
   * Returns the place that is taken. The publisher already keeps paths apart within an environment; environments that share a gateway can
   * still meet here.
   */
  claim(owner: PlaceOwner, places: readonly Place[]): TakenPlace | undefined {
    const taken = this.#taken(owner, places);
    if (taken !== undefined) return taken;
    for (const place of places) this.#owners.set(keyOf(place), owner);
    return undefined;
  }

  /** A record was refused since one of its places is taken; until it is set or removed it waits for them. */
  await(waiting: WaitingRecord): void {
    this.#waiting.set(nameOf(waiting.owner), waiting);
  }

  /** It waits no more: this state of it, or a later one, was taken in, refused for something else, or removed. */
  forget(owner: PlaceOwner, seq: number): void {
    const waiting = this.#waiting.get(nameOf(owner));
    // What is built again is the older state, that serves meanwhile.
    if (waiting !== undefined && seq >= waiting.record.seq) this.#waiting.delete(nameOf(owner));
  }

  /** Those that wait and whose places are all free by now. */
  *freed(): Iterable<WaitingRecord> {
    for (const waiting of this.#waiting.values())
      if (this.#taken(waiting.owner, waiting.places) === undefined) yield waiting;
  }

  /** Gives places back; those of others stay theirs. */
  release(owner: PlaceOwner, places: readonly Place[]): void {
    for (const place of places.map(keyOf)) {
      const holder = this.#owners.get(place);
      if (holder !== undefined && isSame(holder, owner)) this.#owners.delete(place);
    }
  }

  #taken(owner: PlaceOwner, places: readonly Place[]): TakenPlace | undefined {
    for (const place of places) {
      const other = this.#owners.get(keyOf(place));
      if (other !== undefined && !isSame(other, owner)) return { ...other, place };
    }
    return undefined;
  }
}

/** Host and path as people read them. */
export function placeText({ host, path }: Pick<Place, 'host' | 'path'>): string {
  return `${host ?? ''}${path}`;
}

/** No id of a server holds a blank. */
const keyOf = (place: Place): string => `${place.server} ${placeText(place)}`;

const nameOf = ({ id, environment }: PlaceOwner): string => `${environment}\0${id}`;

function isSame(one: PlaceOwner, other: PlaceOwner): boolean {
  return one.id === other.id && one.environment === other.environment;
}
