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

/** Who holds which host and context path on each server of this gateway, whether or not he is served there yet. */
export class Places {
  readonly #owners = new Map<string, PlaceOwner>();

  /**
   * Claims all places for an API or none.
   *
   * Returns the place that is taken. The publisher already keeps paths apart within an environment; environments that share a gateway can
   * still meet here.
   */
  claim(owner: PlaceOwner, places: readonly Place[]): TakenPlace | undefined {
    for (const place of places) {
      const other = this.#owners.get(keyOf(place));
      if (other !== undefined && !isSame(other, owner)) return { ...other, place };
    }
    for (const place of places) this.#owners.set(keyOf(place), owner);
    return undefined;
  }

  /** Gives places back; those of others stay theirs. */
  release(owner: PlaceOwner, places: readonly Place[]): void {
    for (const place of places.map(keyOf)) {
      const holder = this.#owners.get(place);
      if (holder !== undefined && isSame(holder, owner)) this.#owners.delete(place);
    }
  }
}

/** Host and path as people read them. */
export function placeText({ host, path }: Pick<Place, 'host' | 'path'>): string {
  return `${host ?? ''}${path}`;
}

/** No id of a server holds a blank. */
const keyOf = (place: Place): string => `${place.server} ${placeText(place)}`;

function isSame(one: PlaceOwner, other: PlaceOwner): boolean {
  return one.id === other.id && one.environment === other.environment;
}
