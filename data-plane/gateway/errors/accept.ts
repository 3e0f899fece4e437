/** One media range of an Accept header, in lower case without parameters. */
export interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

const rangesMax = 32;

/** Reads an Accept header, best first; what has quality 0 or makes no sense is left out. */
export function parseAccept(accept: string): readonly MediaRange[] {
  const ranges: MediaRange[] = [];
  for (const part of accept.split(',', rangesMax)) {
    const [type = '', ...parameters] = part.split(';');
    const range = type.trim().toLowerCase();
    if (!range.includes('/')) continue;
    const quality = qualityOf(parameters);
    if (quality > 0) ranges.push({ type: range, quality });
  }
  return ranges.toSorted((a, b) => b.quality - a.quality);
}

/** Says whether a range takes a media type (lower case, without parameters). */
export function isAccepted(range: string, type: string): boolean {
  if (range === '*/*' || range === type) return true;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1));
}

function qualityOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim().toLowerCase() === 'q') {
      const quality = Number(value.trim());
      return Number.isFinite(quality) ? quality : 0;
    }
  }
  return 1;
}
