/** What a policy is found by. */
interface Described {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
}

/** How well a policy fits what was typed, the best is 0: it is called so, begins so, has a word that does, ..., only speaks of it. */
function rankOf(policy: Described, words: string): number {
  const id = policy.id.toLowerCase();
  const name = policy.name.toLowerCase();
  if (name === words || id === words) return 0;
  if (name.startsWith(words) || id.startsWith(words)) return 1;
  if (name.split(/[\s-]+/).some((each) => each.startsWith(words))) return 2;
  if (name.includes(words) || id.includes(words)) return 3;
  if (policy.category.toLowerCase().includes(words)) return 4;
  return policy.description.toLowerCase().includes(words) ? 5 : Number.POSITIVE_INFINITY;
}

/** Those that fit what was typed, the best first; else as they stand. */
export function matching<Each extends Described>(
  all: readonly Each[] | undefined,
  text: string,
): readonly Each[] | undefined {
  const words = text.trim().toLowerCase();
  if (words === '') return all;
  return all
    ?.map((policy) => ({ policy, rank: rankOf(policy, words) }))
    .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ policy }) => policy);
}
