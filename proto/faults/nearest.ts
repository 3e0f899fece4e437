/** The name nearest to a mistyped one, undefined when none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < (best?.distance ?? Infinity)) best = { candidate, distance };
  }
  // Half of the letters wrong is another word, not a slip.
  return best !== undefined && best.distance <= Math.max(2, Math.ceil(best.candidate.length / 2))
    ? best.candidate
    : undefined;
}

/** What is said of names that there are not: what may have been meant, and what there is. Of several at once the nearest of one would be said of all. */
export function unknownNames(names: readonly string[], allowed: readonly string[]): string {
  const [name = '', ...others] = names;
  const near = others.length === 0 ? nearest(name, allowed) : undefined;
  const advice = near === undefined ? '' : `did you mean ${near}? `;
  return `is unknown; ${advice}allowed: ${allowed.length === 0 ? 'nothing' : allowed.join(', ')}`;
}

/** How many letters have to be put in, taken out or replaced to make one text of another. Cost: the product of their lengths. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
