import { patternOf } from '../patterns.ts';
import { fail } from '../failure.ts';
import { type Value, valueOf } from '../values.ts';

/** Most characters of a path. */
const pathCharsMax = 1_000;
const filtersDeepMax = 20;
const functions = new Set(['length', 'size', 'keys', 'concat', 'sum', 'min', 'max', 'avg', 'stddev']);

/** A step of a path: what it goes on with. */
export type Step =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'items'; readonly items: readonly number[] }
  | {
      readonly kind: 'slice';
      readonly from: number | undefined;
      readonly to: number | undefined;
      readonly by: number;
    }
  | { readonly kind: 'every' | 'deep' }
  | { readonly kind: 'filter'; readonly filter: Filter }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly (Path | Value)[] };

/** From the whole (`$`), or from the item that a filter looks at (`@`). */
export interface Path {
  readonly from: '$' | '@';
  readonly steps: readonly Step[];
}

/** What a filter demands of an item. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }
  | { readonly kind: 'exists'; readonly path: Path }
  | { readonly kind: 'compares'; readonly left: Operand; readonly by: string; readonly right: Operand };

/** A side of a comparison. */
export type Operand =
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'pattern'; readonly pattern: string };

/** Reads a path. Errors: EvaluationFailure, with the place. */
export function readPath(path: string): Path {
  if (path.length > pathCharsMax) return fail(`a path is longer than ${pathCharsMax} characters`);
  return new PathReader(path).whole();
}

class PathReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text.trim();
  }

  whole(): Path {
    // `$.` may be left out.
    const path = this.#text.startsWith('$') ? this.#path() : { from: '$' as const, steps: this.#bare() };
    if (this.#at < this.#text.length) this.#refuse();
    return path;
  }

  #bare(): readonly Step[] {
    const first: readonly Step[] = this.#text.startsWith('[') ? [] : [this.#named()];
    return [...first, ...this.#steps()];
  }

  #path(): Path {
    const from = this.#take('$') ? '$' : this.#take('@') ? '@' : this.#refuse();
    return { from, steps: this.#steps() };
  }

  #steps(): readonly Step[] {
    const steps: Step[] = [];
    for (;;) {
      if (this.#take('..')) {
        steps.push({ kind: 'deep' });
        if (this.#text[this.#at] !== '[') steps.push(this.#named());
      } else if (this.#take('.')) {
        steps.push(this.#named());
      } else if (this.#take('[')) {
        steps.push(this.#bracket());
      } else return steps;
    }
  }

  #named(): Step {
    if (this.#take('*')) return { kind: 'every' };
    const name = this.#match(/[^\s.[\]()*,?'"=<>!&|]+/y) ?? this.#refuse();
    if (!this.#take('(')) return { kind: 'names', names: [name] };
    if (!functions.has(name)) return fail(`a path has no function ${name}()`);
    const args: (Path | Value)[] = [];
    for (this.#blank(); !this.#take(')'); this.#blank()) {
      if (args.length > 0 && !this.#take(',')) this.#refuse();
      this.#blank();
      args.push(/[$@]/.test(this.#text[this.#at] ?? '') ? this.#path() : this.#literal());
    }
    return { kind: 'call', name, args };
  }

  #bracket(): Step {
    this.#blank();
    const step = this.#inBrackets();
    this.#blank();
    if (!this.#take(']')) this.#refuse();
    return step;
  }

  #inBrackets(): Step {
    if (this.#take('*')) return { kind: 'every' };
    if (this.#take('?')) {
      this.#blank();
      if (!this.#take('(')) this.#refuse();
      const filter = this.#filter();
      this.#blank();
      if (!this.#take(')')) this.#refuse();
      return { kind: 'filter', filter };
    }
    if (/['"]/.test(this.#text[this.#at] ?? '')) {
      const names = [this.#quoted()];
      while (this.#comma()) names.push(this.#quoted());
      return { kind: 'names', names };
    }
    const slice = this.#match(/-?\d*\s*:\s*-?\d*(\s*:\s*\d*)?/y);
    if (slice !== undefined) {
      const [from, to, by] = slice.split(':').map((each) => (each.trim() === '' ? undefined : Number(each)));
      if (by === 0) this.#refuse();
      return { kind: 'slice', from, to, by: by ?? 1 };
    }
    const items = [this.#integer()];
    while (this.#comma()) items.push(this.#integer());
    return { kind: 'items', items };
  }

  #filter(): Filter {
    this.#depth += 1;
    if (this.#depth > filtersDeepMax) fail(`a filter is nested deeper than ${filtersDeepMax}`);
    const any = [this.#allOf()];
    for (this.#blank(); this.#take('||'); this.#blank()) any.push(this.#allOf());
    this.#depth -= 1;
    return any.length === 1 && any[0] !== undefined ? any[0] : { kind: 'or', of: any };
  }

  #allOf(): Filter {
    const all = [this.#single()];
    for (this.#blank(); this.#take('&&'); this.#blank()) all.push(this.#single());
    return all.length === 1 && all[0] !== undefined ? all[0] : { kind: 'and', of: all };
  }

  #single(): Filter {
    this.#blank();
    if (this.#take('!')) {
      this.#depth += 1;
      if (this.#depth > filtersDeepMax) fail(`a filter is nested deeper than ${filtersDeepMax}`);
      const of = this.#single();
      this.#depth -= 1;
      return { kind: 'not', of };
    }
    if (this.#take('(')) {
      const filter = this.#filter();
      this.#blank();
      if (!this.#take(')')) this.#refuse();
      return filter;
    }
    const left = this.#operand();
    this.#blank();
    const by = this.#match(/==|!=|<=|>=|=~|<|>|(?:in|nin|size|empty)\b/y);
    if (by === undefined) return left.kind === 'path' ? { kind: 'exists', path: left.path } : this.#refuse();
    this.#blank();
    return { kind: 'compares', left, by, right: by === '=~' ? this.#pattern() : this.#operand() };
  }

  #operand(): Operand {
    if (/[$@]/.test(this.#text[this.#at] ?? '')) return { kind: 'path', path: this.#path() };
    return { kind: 'value', value: this.#literal() };
  }

  #pattern(): Operand {
    const written = this.#match(/\/(?:[^/\\]|\\.)*\/[is]*/y) ?? this.#refuse();
    const end = written.lastIndexOf('/');
    const flags = written.slice(end + 1);
    const pattern = `${flags === '' ? '' : `(?${flags})`}${written.slice(1, end)}`;
    patternOf(pattern);
    return { kind: 'pattern', pattern };
  }

  #literal(): Value {
    if (/['"]/.test(this.#text[this.#at] ?? '')) return this.#quoted();
    if (this.#take('[')) {
      const items: Value[] = [];
      for (this.#blank(); !this.#take(']'); this.#blank()) {
        if (items.length > 0 && !this.#take(',')) this.#refuse();
        this.#blank();
        this.#depth += 1;
        if (this.#depth > filtersDeepMax) fail(`a filter is nested deeper than ${filtersDeepMax}`);
        items.push(this.#literal());
        this.#depth -= 1;
      }
      return items;
    }
    const word = this.#match(/true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y) ?? this.#refuse();
    return valueOf(JSON.parse(/^-?0\d/.test(word) ? this.#refuse() : word));
  }

  #quoted(): string {
    this.#blank();
    const written = this.#match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y) ?? this.#refuse();
    return written.slice(1, -1).replaceAll(/\\(.)/g, '$1');
  }

  #integer(): number {
    this.#blank();
    return Number(this.#match(/-?\d{1,9}/y) ?? this.#refuse());
  }

  #comma(): boolean {
    this.#blank();
    return this.#take(',');
  }

  #blank(): void {
    this.#match(/\s+/y);
  }

  #take(text: string): boolean {
    const is = this.#text.startsWith(text, this.#at);
    if (is) this.#at += text.length;
    return is;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #refuse(): never {
    return fail(
      `the path ${JSON.stringify(this.#text.slice(0, 80))} cannot be read at character ${this.#at + 1}`,
    );
  }
}
