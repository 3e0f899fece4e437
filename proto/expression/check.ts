import { type Condition, compileCondition, type RefusedCondition } from './condition.ts';
import { piecesOf } from './find.ts';
import { functionNames } from './functions.ts';
import { idleComparisons } from './known/comparisons.ts';
import { language } from './language.ts';
import { rootNames, rootOf } from './roots.ts';
import type { TemplateNeeds } from './template.ts';

/** As what a text is read: `text` for what may hold expressions, `rule` for a condition whose braces may be left out. */
export type CheckedAs = 'text' | 'condition' | 'rule';

/** What is wrong with a text, or would be when it runs. */
export interface ExpressionFault {
  readonly message: string;
  /** Where in the text, counted in characters from 0. */
  readonly at: number;
}

/** What can be said of a text before there is a request. */
export interface CheckedExpressions {
  /** What a definition with it is refused for. */
  readonly faults: readonly ExpressionFault[];
  /** What is accepted and fails, or comes to nothing, in that phase. */
  readonly warnings: readonly ExpressionFault[];
  readonly needs: TemplateNeeds;
  /** What it names behind `#`. */
  readonly roots: readonly string[];
}

/** Most faults, and most warnings, that are told of a text. */
const toldMax = 100;

/** Every expression of a text by itself, so that all faults are told and not the first alone. */
export function checkExpressions(
  text: string,
  {
    as,
    phase,
    places,
  }: {
    readonly as: CheckedAs;
    readonly phase: 'request' | 'response';
    /** Names behind `#` that are known where the text stands and nowhere else. */
    readonly places?: ReadonlySet<string> | undefined;
  },
): CheckedExpressions {
  const isBare = as === 'rule' && text.trim().startsWith('#');
  const read = isBare ? `{${text.trim()}}` : text;
  // What was put around a rule, or lay before it, is not counted.
  const before = isBare ? text.indexOf('#') - 1 : 0;
  const [faults, warnings]: [ExpressionFault[], ExpressionFault[]] = [[], []];
  const roots = new Set<string>();
  let [needs, start]: [TemplateNeeds, number] = ['head', before];
  for (const piece of piecesOf(read)) {
    if (faults.length === toldMax || warnings.length === toldMax) break;
    if (piece.kind === 'text') {
      start += piece.text.length;
      continue;
    }
    const made = piece.isClosed
      ? language(piece.source, places)
      : ({ kind: 'refused', message: 'its closing brace is missing', at: piece.source.length } as const);
    if (made.kind === 'refused') faults.push({ message: made.message, at: start + 1 + made.at });
    else {
      for (const root of made.reads?.roots ?? []) roots.add(root);
      if (made.needs === 'buffered') needs = 'buffered';
      if (phase === 'request' && made.reads?.roots.has('response') === true)
        warnings.push({ message: 'there is no response yet in the request', at: start });
      for (const { message, at } of idleComparisons(piece.source))
        warnings.push({ message, at: start + 1 + at });
    }
    start += piece.source.length + (piece.isClosed ? 2 : 1);
  }
  const whole = as === 'text' || faults.length > 0 ? undefined : compileCondition(read);
  if (whole !== undefined && isRefused(whole)) faults.push({ message: whole.message, at: 0 });
  return { faults, warnings, needs, roots: [...roots].toSorted() };
}

const isRefused = (compiled: Condition | RefusedCondition): compiled is RefusedCondition =>
  'kind' in compiled;

/** Something that an expression may name behind `#`. */
export interface KnownRoot {
  readonly name: string;
  /** Absent where there may be others, or none. */
  readonly members?: readonly string[];
  /** The one place where it is known; absent: everywhere. */
  readonly place?: string;
  readonly isFunction: boolean;
}

/** All of them by name. */
export function knownRoots(): readonly KnownRoot[] {
  const roots = rootNames().flatMap((name): KnownRoot[] => {
    const root = rootOf(name);
    if (root === undefined) return [];
    return [
      {
        name,
        isFunction: false,
        ...(root.kind === 'members' && { members: [...root.members.keys()] }),
        ...(root.place !== undefined && { place: root.place }),
      },
    ];
  });
  const functions = functionNames().map((name) => ({ name, isFunction: true }));
  return [...roots, ...functions].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
