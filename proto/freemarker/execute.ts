import { fail } from '../expression/failure.ts';
import { spend } from '../expression/work.ts';
import { type Args, asBoolean, asNumber } from './built-ins/built-in.ts';
import { namesOf } from './built-ins/lists.ts';
import { calculate, decimalOf, fixedText } from './decimals.ts';
import { combined, evaluate, valueAt } from './evaluate.ts';
import { isEqual } from './comparisons.ts';
import { type Context, failureUnits, isFailure, type Loop, type Run } from './run.ts';
import type { Body, Definition, Element, LoopNames } from './tree.ts';
import { hashOf, isHash, itemsOf, nameOf, Range, type Value } from './values.ts';

type Of<Kind extends Element['kind']> = Extract<Element, { readonly kind: Kind }>;

/** Why a block ended before its end. */
type Left = 'break' | 'continue' | { readonly returned: Value | undefined } | undefined;

/** Runs the pieces of a block in their order. Errors: an EvaluationFailure. */
export function execute(body: Body, run: Run): Left {
  for (const element of body) {
    const left = run.deeper(() => step(element, run));
    if (left !== undefined) return left;
  }
  return undefined;
}

function step(element: Element, run: Run): Left {
  switch (element.kind) {
    case 'text':
      run.write(element.trimmed);
      return undefined;
    case 'output':
      return write(element, run);
    case 'if':
      return branch(element, run);
    case 'list':
      return list(element, run);
    case 'items':
      return loopThrough(run.listed() ?? fail('there is no list to go through'), element, run);
    case 'sep':
      return run.loop()?.hasNext === true ? execute(element.body, run) : undefined;
    case 'break':
    case 'continue':
      return element.kind;
    case 'switch':
      return choose(element, run);
    case 'assign':
      return assign(element, run);
    case 'capture':
      run.assign(
        element.where,
        element.name,
        run.capture(() => void execute(element.body, run)),
      );
      return undefined;
    case 'macro call':
      return callMacro(element, run);
    case 'nested':
      return nested(element, run);
    case 'return':
      return { returned: element.value === undefined ? undefined : evaluate(element.value, run) };
    case 'attempt':
      return attempt(element, run);
    case 'compress':
      return compress(element, run);
    case 'plain':
      return execute(element.body, run);
    case 'setting':
      return setting(element, run);
    case 'stop':
      return fail(
        element.message === undefined
          ? 'the template stopped'
          : `the template stopped: ${run.text(valueAt(element.message, run))}`,
      );
    case 'define':
      run.assign('assign', element.definition.name, { kind: 'macro', definition: element.definition });
      return undefined;
    case 'comment':
      return undefined;
  }
}

function write({ of, digits }: Of<'output'>, run: Run): Left {
  const value = valueAt(of, run);
  if (digits === undefined) run.write(run.text(value));
  else run.write(fixedText(asNumber(value), { min: digits[0], max: digits[1], isGrouped: false }));
  return undefined;
}

function branch({ branches }: Of<'if'>, run: Run): Left {
  const taken = branches.find(({ test }) => test === undefined || asBoolean(valueAt(test, run)));
  return taken === undefined ? undefined : execute(taken.body, run);
}

function list(element: Of<'list'>, run: Run): Left {
  const listed = valueAt(element.of, run);
  if (isEmpty(listed)) return element.otherwise === undefined ? undefined : execute(element.otherwise, run);
  if (element.names !== undefined)
    return loopThrough(listed, { names: element.names, body: element.body }, run);
  return run.inside({ around: run.context, variables: new Map(), listed }, () => execute(element.body, run));
}

function isEmpty(listed: Value): boolean {
  if (listed instanceof Range) return listed.length === 0;
  return (isHash(listed) ? namesOf(listed) : itemsOf(listed)).length === 0;
}

/** One turn per item, or per entry of a hash. */
function loopThrough(
  listed: Value,
  { names, body }: { readonly names: LoopNames; readonly body: Body },
  run: Run,
): Left {
  for (const turn of turnsOf(listed, names)) {
    const left = turnOf(turn, { names, body }, run);
    if (left === 'break') return undefined;
    if (left !== undefined && left !== 'continue') return left;
  }
  return undefined;
}

interface Turn {
  readonly item: Value | undefined;
  readonly value: Value | undefined;
  readonly index: number;
  readonly hasNext: boolean;
}

function* turnsOf(listed: Value, { valueName }: LoopNames): Generator<Turn> {
  if (valueName !== undefined || isHash(listed)) {
    if (!isHash(listed)) return fail(`two variables go through a hash, not through ${nameOf(listed)}`);
    if (valueName === undefined)
      return fail('a hash is listed with two variables: <#list x as name, value>, or by x?keys');
    const keys = namesOf(listed);
    for (const [index, name] of keys.entries())
      yield { item: name, value: listed.get(name), index, hasNext: index + 1 < keys.length };
    return undefined;
  }
  if (listed instanceof Range && listed.length === undefined)
    for (let index = 0; ; index += 1)
      yield { item: decimalOf(listed.from + index), value: undefined, index, hasNext: true };
  const items = itemsOf(listed);
  for (const [index, item] of items.entries())
    yield { item, value: undefined, index, hasNext: index + 1 < items.length };
  return undefined;
}

function turnOf(
  turn: Turn,
  { names, body }: { readonly names: LoopNames; readonly body: Body },
  run: Run,
): Left {
  spend(100);
  const { name, valueName } = names;
  const variables = new Map<string, Value | undefined>([
    [name, turn.item],
    [`${name}_index`, decimalOf(turn.index)],
    [`${name}_has_next`, turn.hasNext],
  ]);
  if (valueName !== undefined) variables.set(valueName, turn.value);
  const loop: Loop = {
    index: turn.index,
    hasNext: turn.hasNext,
    names: valueName === undefined ? [name] : [name, valueName],
  };
  return run.inside({ around: run.context, variables, loop }, () => execute(body, run));
}

/** From the first case that fits on, until one breaks; what `on` says stands alone. */
function choose({ of, cases }: Of<'switch'>, run: Run): Left {
  const value = valueAt(of, run);
  const first = cases.findIndex(
    ({ values }) => values?.some((each) => isEqual(value, valueAt(each, run))) === true,
  );
  const taken = first === -1 ? cases.filter(({ values }) => values === undefined) : cases.slice(first);
  for (const { body, goesOn } of taken) {
    const left = execute(body, run);
    if (left === 'break') return undefined;
    if (left !== undefined) return left;
    if (!goesOn) return undefined;
  }
  return undefined;
}

function assign(element: Of<'assign'>, run: Run): Left {
  run.assign(element.where, element.name, assigned(element, run));
  return undefined;
}

function assigned({ where, name, by, value }: Of<'assign'>, run: Run): Value {
  const given = value === undefined ? decimalOf(1) : valueAt(value, run);
  if (by === '=') return given;
  const before = run.assigned(where, name) ?? fail(`${name} has no value yet`);
  switch (by) {
    case '++':
    case '+=':
      return combined(before, '+', { right: given, run });
    case '--':
    case '-=':
      return calculate('-', asNumber(before), asNumber(given));
    case '*=':
      return calculate('*', asNumber(before), asNumber(given));
    case '/=':
      return calculate('/', asNumber(before), asNumber(given));
    case '%=':
      return calculate('%', asNumber(before), asNumber(given));
  }
}

function callMacro(element: Of<'macro call'>, run: Run): Left {
  const of = valueAt(element.of, run);
  if (!(typeof of === 'object' && 'kind' in of && of.kind === 'macro') || of.definition.isFunction)
    return fail(`${nameOf(of)} is no macro`);
  const { definition } = of;
  const variables =
    element.named.length > 0
      ? namedArguments(
          definition,
          element.named.map(([name, value]) => [name, valueAt(value, run)] as const),
        )
      : placedArguments(
          definition,
          element.args.map((arg) => evaluate(arg, run)),
        );
  const macro = { caller: run.context, body: element.body, loopNames: element.loopNames };
  enter(definition, { around: undefined, variables, macro }, run);
  return undefined;
}

/** Calls a function of the template, as `f(1)`. */
export function callFunction(definition: Definition, args: Args, run: Run): Value | undefined {
  if (!definition.isFunction)
    return fail(`${definition.name} is a macro; it is called as <@${definition.name}/>`);
  const macro = { caller: run.context, body: undefined, loopNames: [] };
  const context: Context = { around: undefined, variables: placedArguments(definition, args), macro };
  let left: Left;
  run.capture(() => void (left = enter(definition, context, run)));
  return typeof left === 'object' ? left.returned : undefined;
}

/** Parameters that were not given come to what they are otherwise, worked out among those before them. */
function enter(definition: Definition, context: Context, run: Run): Left {
  spend(50);
  return run.inside(context, () => {
    for (const { name, otherwise } of definition.parameters) {
      if (context.variables.get(name) !== undefined) continue;
      if (otherwise === undefined) return fail(`${definition.name} needs its parameter ${name}`);
      context.variables.set(name, valueAt(otherwise, run));
    }
    return run.deeper(() => execute(definition.body, run));
  });
}

function placedArguments({ name, parameters, rest }: Definition, args: Args): Map<string, Value | undefined> {
  if (args.length > parameters.length && rest === undefined)
    return fail(`${name} takes at most ${parameters.length} parameters`);
  const variables = new Map(parameters.map((parameter, index) => [parameter.name, args[index]] as const));
  if (rest !== undefined) variables.set(rest, args.slice(parameters.length));
  return variables;
}

function namedArguments(
  { name, parameters, rest }: Definition,
  args: readonly (readonly [string, Value | undefined])[],
): Map<string, Value | undefined> {
  const known = new Set(parameters.map((parameter) => parameter.name));
  const others = args.filter(([each]) => !known.has(each));
  if (others.length > 0 && rest === undefined) return fail(`${name} has no parameter ${others[0]?.[0]}`);
  const variables = new Map(args.filter(([each]) => known.has(each)));
  if (rest !== undefined) variables.set(rest, hashOf(new Map(others)));
  return variables;
}

/** What stood between the tags of the macro's call, among the variables there. */
function nested({ args }: Of<'nested'>, run: Run): Left {
  const { caller, body, loopNames } = run.macroCall();
  if (body === undefined) return undefined;
  const values = args.map((arg) => evaluate(arg, run));
  const variables = new Map(loopNames.map((name, index) => [name, values[index]] as const));
  const left = run.inside({ around: caller, variables }, () => execute(body, run));
  return left === 'break' || left === 'continue' ? undefined : left;
}

function attempt({ body, recover }: Of<'attempt'>, run: Run): Left {
  let left: Left;
  const { context } = run;
  let made: string;
  try {
    made = run.capture(() => void (left = execute(body, run)));
  } catch (error) {
    if (!isFailure(error)) throw error;
    spend(failureUnits);
    run.context = context;
    const before = run.error;
    run.error = error.message;
    left = execute(recover, run);
    run.error = before;
    return left;
  }
  run.write(made);
  return left;
}

/** White space becomes one blank, or one line break where there is one in it; none at the ends. */
function compress({ body }: Of<'compress'>, run: Run): Left {
  let left: Left;
  const made = run.capture(() => void (left = execute(body, run)));
  spend(made.length * 6);
  run.write(made.trim().replaceAll(/\s+/g, (blank) => (/[\r\n]/.test(blank) ? '\n' : ' ')));
  return left;
}

const formats = ['number_format', 'boolean_format', 'date_format', 'time_format', 'datetime_format'] as const;

function setting({ name, value }: Of<'setting'>, run: Run): Left {
  const known = formats.find((format) => format === name);
  if (known !== undefined) run.formats.set(known, run.text(valueAt(value, run)));
  return undefined;
}

/** Names of settings that a template may change. */
export const settingNames: readonly string[] = formats;
