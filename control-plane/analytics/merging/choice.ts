/** What is known of a file that may be merged. */
export interface Mergeable {
  readonly bytes: number;
  readonly records: number;
}

/** What one merge may take; bytes as they lie in the bucket. */
export interface MergeBounds {
  readonly filesMin: number;
  readonly filesMax: number;
  readonly bytesMax: number;
  readonly recordsMax: number;
}

/**
 * The smallest files, each at most {@link largerMax} times as large as those before it together; empty when they are fewer than `filesMin`.
 *
 * Where the smallest are too few to go together, and the next one is too large for them, it begins with that one. So each merge makes what a record lies in half as large again at least, and a large file waits until there is as much to join it. Files that
 * are about as large as each other go together, whichever is the larger by a little.
 */
export function chooseFiles<File extends Mergeable>(
  files: readonly File[],
  bounds: MergeBounds,
): readonly File[] {
  let chosen: File[] = [];
  let bytes = 0;
  let records = 0;
  for (const file of files.toSorted((a, b) => a.bytes - b.bytes)) {
    const isTooLarge = chosen.length > 0 && file.bytes > Math.max(largerMax * bytes, smallBytes);
    const isFull =
      chosen.length === bounds.filesMax ||
      bytes + file.bytes > bounds.bytesMax ||
      records + file.records > bounds.recordsMax;
    if (isFull || (isTooLarge && chosen.length >= bounds.filesMin)) break;
    // Those before it are too few, and wait for others of their size; larger ones do not wait for them.
    if (isTooLarge) {
      chosen = [];
      bytes = 0;
      records = 0;
    }
    chosen.push(file);
    bytes += file.bytes;
    records += file.records;
  }
  return chosen.length < bounds.filesMin ? [] : chosen;
}

/** A factor. */
const largerMax = 2;
/** Files up to this size always go together: reading one costs as much as reading none. */
const smallBytes = 64 * 1024;
