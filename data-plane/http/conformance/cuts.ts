/** A case that is longer than this is cut near its edges only. */
const longBytes = 1_024;
const nearBytes = 32;

/** Says in which ways a case is cut, e.g. [[], [1, 2], [1], [2]]: [] is whole, [2] is two parts of which the first has two bytes. */
export type WaysToCut = (bytes: string) => readonly (readonly number[])[];

/**
 * Every way in which a case is cut: whole, into single bytes, and in two at every place.
 *
 * Long cases (limits) are cut only near their edges, the ends of their first and last lines and the bounds that are set by default.
 */
export const everyWayToCut: WaysToCut = (bytes) => {
  const places = placesToCut(bytes);
  return waysAt(places, places);
};

/** Of {@link everyWayToCut} those that `npm test` has time for: in two only where a line ends, which is where a reader changes its mind. */
export const mainWaysToCut: WaysToCut = (bytes) => {
  const places = placesToCut(bytes);
  return waysAt(
    places,
    places.filter((place) => bytes[place - 1] === '\r' || bytes[place - 1] === '\n' || bytes[place] === '\r'),
  );
};

function waysAt(places: readonly number[], inTwoAt: readonly number[]): readonly (readonly number[])[] {
  return [[], ...(places.length > 1 ? [places] : []), ...inTwoAt.map((place) => [place])];
}

function placesToCut(bytes: string): readonly number[] {
  const all = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, at) => at + 1);
  if (bytes.length <= longBytes) return all;
  const edges = [0, bytes.indexOf('\r\n'), 8_192, 32_768, bytes.lastIndexOf('\r\n'), bytes.length];
  return all.filter((place) => edges.some((edge) => Math.abs(place - edge) <= nearBytes));
}

/** The parts of a text between these places. */
export function partsOf(bytes: string, places: readonly number[]): readonly string[] {
  return [...places, bytes.length].map((place, index) => bytes.slice(places[index - 1] ?? 0, place));
}

/** Says how a case was cut, for messages. */
export function describeCut(places: readonly number[]): string {
  if (places.length === 0) return 'whole';
  return places.length === 1 ? `cut at ${places[0]}` : 'byte by byte';
}
