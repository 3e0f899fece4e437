/** A path of the document, taken to pieces. */
interface Template<Item> {
  readonly segments: readonly Segment[];
  readonly item: Item;
}

/** What a segment has to be: a text, or texts with values between them. */
type Segment = string | { readonly texts: readonly string[]; readonly names: readonly string[] };

/** What a path was found to be. */
export interface FoundPath<Item> {
  readonly item: Item;
  /** Values of its parameters, decoded. */
  readonly values: ReadonlyMap<string, string>;
}

/** Finds paths among the templates of a document: those without parameters before those that have some, as OpenAPI has it. */
export class PathTable<Item> {
  /** By the number of their segments, and the first of them where it is a text. */
  readonly #templates = new Map<string, Template<Item>[]>();

  constructor(paths: readonly (readonly [path: string, item: Item])[]) {
    for (const [path, item] of paths) {
      const segments = path.split('/').slice(1).map(segmentOf);
      const [first] = segments;
      const key = keyOf(segments.length, typeof first === 'string' ? first : undefined);
      const known = this.#templates.get(key);
      if (known === undefined) this.#templates.set(key, [{ segments, item }]);
      else known.push({ segments, item });
    }
    for (const [key, templates] of this.#templates) this.#templates.set(key, templates.toSorted(byText));
  }

  /** isStrict: a slash at the end makes another path. */
  find(path: string, isStrict: boolean): FoundPath<Item> | undefined {
    const decoded: string[] = [];
    for (const segment of path.split('/').slice(1)) {
      try {
        decoded.push(decodeURIComponent(segment));
      } catch {
        return undefined;
      }
    }
    const found = this.#among(decoded);
    if (found !== undefined || isStrict) return found;
    return decoded.at(-1) === '' ? this.#among(decoded.slice(0, -1)) : this.#among([...decoded, '']);
  }

  #among(path: readonly string[]): FoundPath<Item> | undefined {
    for (const key of [keyOf(path.length, path[0]), keyOf(path.length, undefined)])
      for (const { segments, item } of this.#templates.get(key) ?? []) {
        if (!segments.every((segment, at) => typeof segment !== 'string' || segment === path[at])) continue;
        const values = new Map<string, string>();
        if (segments.every((segment, at) => fits(segment, path[at] ?? '', values))) return { item, values };
      }
    return undefined;
  }
}

const keyOf = (count: number, first: string | undefined): string =>
  first === undefined ? `${count}` : `${count} ${first}`;

function segmentOf(text: string): Segment {
  const names = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
  return names.length === 0 ? text : { texts: text.split(/\{[^{}]*\}/), names };
}

/** Of two templates the one that has a text where the other has a parameter comes first. */
function byText<Item>(left: Template<Item>, right: Template<Item>): number {
  for (const [at, segment] of left.segments.entries()) {
    const other = right.segments[at];
    if ((typeof segment === 'string') !== (typeof other === 'string'))
      return typeof segment === 'string' ? -1 : 1;
    // `{id}.json` before `{id}`: it says more.
    if (typeof segment === 'string' || other === undefined || typeof other === 'string') continue;
    const more = other.texts.join('').length - segment.texts.join('').length;
    if (more !== 0) return more;
  }
  return 0;
}

/** Each parameter takes as little as it can, and one character at least. */
function fits(segment: Segment, text: string, values: Map<string, string>): boolean {
  if (typeof segment === 'string') return segment === text;
  const { texts, names } = segment;
  const [first = ''] = texts;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const [index, name] of names.entries()) {
    const next = texts[index + 1] ?? '';
    const isLast = index === names.length - 1;
    const end = isLast ? text.length - next.length : text.indexOf(next, at + 1);
    if (end <= at || (isLast && !text.endsWith(next))) return false;
    values.set(name, text.slice(at, end));
    at = end + next.length;
  }
  return true;
}
