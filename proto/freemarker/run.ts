import { EvaluationFailure, fail } from '../expression/failure.ts';
import { spend } from '../expression/work.ts';
import type { LoopPlace } from './built-ins/built-in.ts';
import { formatted, localText } from './decimals.ts';
import { defaultFormat, momentText } from './moments.ts';
import type { Definition } from './tree.ts';
import { isDecimal, kindOf, Missing, Moment, nameOf, type Nested, type Value } from './values.ts';

/** Most characters that a template makes. */
const outputCharsMax = 8 * 1024 * 1024;
/** How deep what runs may be nested: macros in macros, blocks and expressions in each other. All of it takes half of the stack that Node gives. */
const depthMax = 500;

/** Variables of a macro's call, or of one turn of a loop, and what stands around it. */
export interface Context {
  readonly around: Context | undefined;
  readonly variables: Map<string, Value | undefined>;
  readonly loop?: Loop | undefined;
  readonly macro?: MacroCall | undefined;
  /** The list that `<#items>` goes through. */
  readonly listed?: Value | undefined;
}

/** One turn of a loop. */
export interface Loop extends LoopPlace {
  readonly names: readonly string[];
}

/** Who called a macro, and what stood between the tags of its call. */
export interface MacroCall {
  readonly caller: Context | undefined;
  readonly body: Nested | undefined;
  readonly loopNames: readonly string[];
}

/** Formats of values where no format is said; `<#setting>` changes them. */
export type Formats = Map<
  'number_format' | 'boolean_format' | 'date_format' | 'time_format' | 'datetime_format',
  string
>;

/** Runs a function of the template. */
type CallFunction = (
  definition: Definition,
  args: readonly (Value | undefined)[],
  run: Run,
) => Value | undefined;

/** What a run begins with. */
interface RunOptions {
  readonly definitions: readonly Definition[];
  readonly nowMs: number;
  /** Handed in, so that expressions need not know how blocks run. */
  readonly callFunction: CallFunction;
}

/** One run of a template: its output so far, its variables, what it may still do. */
export class Run {
  readonly formats: Formats = new Map();
  readonly nowMs: number;
  context: Context | undefined = undefined;
  /** What `<#attempt>` recovered from. */
  error: string | undefined = undefined;
  readonly #callFunction: CallFunction;
  readonly #model: ReadonlyMap<string, Value | undefined>;
  readonly #variables = new Map<string, Value | undefined>();
  readonly #globals = new Map<string, Value | undefined>();
  #output = '';
  #outputChars = 0;
  #depth = 0;

  constructor(
    model: ReadonlyMap<string, Value | undefined>,
    { definitions, nowMs, callFunction }: RunOptions,
  ) {
    this.#model = model;
    this.nowMs = nowMs;
    this.#callFunction = callFunction;
    for (const definition of definitions) this.#variables.set(definition.name, { kind: 'macro', definition });
  }

  get output(): string {
    return this.#output;
  }

  write(text: string): void {
    this.#outputChars += text.length;
    if (this.#outputChars > outputCharsMax) fail(`what it makes is longer than ${outputCharsMax} characters`);
    spend((text.length >> 5) + 1);
    this.#output += text;
  }

  /** What is written meanwhile, instead of into the output. */
  capture(write: () => void): string {
    const before = this.#output;
    this.#output = '';
    try {
      write();
      return this.#output;
    } finally {
      this.#output = before;
    }
  }

  /** One step more, nested in the one that runs. */
  deeper<Made>(run: () => Made): Made {
    spend(4);
    if ((this.#depth += 1) > depthMax) {
      this.#depth -= 1;
      return fail(`what runs is nested deeper than ${depthMax}`);
    }
    try {
      return run();
    } finally {
      this.#depth -= 1;
    }
  }

  /** Runs with variables of its own. */
  inside<Made>(context: Context | undefined, run: () => Made): Made {
    const before = this.context;
    this.context = context;
    try {
      return run();
    } finally {
      this.context = before;
    }
  }

  /** A variable: of the loops and the macro around, of the template, or what the template was given. */
  lookUp(name: string): Value | undefined {
    for (let at = this.context; at !== undefined; at = at.around) {
      const found = at.variables.get(name);
      if (found !== undefined) return found;
    }
    return this.#variables.get(name) ?? this.#globals.get(name) ?? this.#model.get(name);
  }

  assign(where: 'assign' | 'global' | 'local', name: string, value: Value | undefined): void {
    if (where === 'assign') this.#variables.set(name, value);
    else if (where === 'global') this.#globals.set(name, value);
    else this.#macroContext().variables.set(name, value);
  }

  /** What is assigned there and nowhere else. */
  assigned(where: 'assign' | 'global' | 'local', name: string): Value | undefined {
    if (where === 'assign') return this.#variables.get(name);
    return where === 'global' ? this.#globals.get(name) : this.#macroContext().variables.get(name);
  }

  #macroContext(): Context {
    return this.#around((context) => context.macro !== undefined) ?? fail('there is no macro around');
  }

  /** The macro's call that runs. */
  macroCall(): MacroCall {
    return this.#macroContext().macro ?? fail('there is no macro around');
  }

  /** The innermost loop, or the one of this variable. */
  loop(name?: string): Loop | undefined {
    return this.#around(({ loop }) => loop !== undefined && (name === undefined || loop.names.includes(name)))
      ?.loop;
  }

  listed(): Value | undefined {
    return this.#around(({ listed }) => listed !== undefined)?.listed;
  }

  #around(fits: (context: Context) => boolean): Context | undefined {
    for (let at = this.context; at !== undefined; at = at.around) if (fits(at)) return at;
    return undefined;
  }

  /** A value as it is written. Errors: an EvaluationFailure for what has no text, and for booleans without a format. */
  text(value: Value | undefined): string {
    if (typeof value === 'string') return value;
    if (value === undefined) throw new Missing('there is nothing to write');
    if (isDecimal(value)) {
      spend(120 + value.c.length * 4);
      const format = this.formats.get('number_format');
      return format === undefined ? localText(value) : formatted(value, format);
    }
    if (typeof value === 'boolean') return this.#booleanText(value);
    if (value instanceof Moment)
      return momentText(value, this.formats.get(`${value.shows}_format`) ?? defaultFormat);
    if (kindOf(value) === 'match' && 'text' in value) return value.text;
    return fail(`${nameOf(value)} has no text`);
  }

  callFunction(definition: Definition, args: readonly (Value | undefined)[]): Value | undefined {
    return this.#callFunction(definition, args, this);
  }

  #booleanText(value: boolean): string {
    const format = this.formats.get('boolean_format');
    if (format === undefined)
      return fail('a boolean has no text of its own; ?c, ?then and ?string write one');
    if (format === 'c') return String(value);
    const [yes, no] = format.split(',');
    return (value ? yes : no) ?? fail(`the format ${JSON.stringify(format)} of booleans has no comma`);
  }
}

/** What it costs to begin anew after a failure. */
export const failureUnits = 800;

/** What was missing is undefined; whatever else failed goes on failing. */
export function forgivingly<Made>(make: () => Made): Made | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    spend(failureUnits);
    return undefined;
  }
}

/** Whether a template may go on after it. */
export const isFailure = (error: unknown): error is EvaluationFailure => error instanceof EvaluationFailure;
