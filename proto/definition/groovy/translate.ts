import { type GroovyFault, NotInTable, Reader } from './reader.ts';
import { type Translated, Values } from './values.ts';

/** A script of a groovy step, and what the step does with it. */
export interface GroovyScript {
  readonly text: string;
  readonly phase: 'request' | 'response';
  readonly readsContent: boolean;
  readonly overrides: boolean;
}

/** The same for the policy `js`, or why it is not. */
export type GroovyTranslation =
  | { readonly kind: 'js'; readonly script: string }
  | { readonly kind: 'refused'; readonly fault: GroovyFault };

/** Words that JavaScript keeps for itself, or that stand for something in a script. */
const taken =
  /^(?:request|response|context|result|State|Base64|dictionaries|properties|console|arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|finally|for|function|if|implements|import|in|instanceof|interface|let|new|package|private|protected|public|return|static|super|switch|this|throw|try|typeof|var|void|while|with|yield|null|true|false|undefined|NaN|Infinity)$/;
const setters = new Map([
  ['code', 'setCode'],
  ['error', 'setError'],
  ['key', 'setKey'],
  ['contentType', 'setContentType'],
]);
/** How deep blocks may stand in each other. */
const levelsMax = 20;

/** Translates what is in the table of `docs/groovy.md`; everything else is refused with its place. */
export function translateGroovy(script: GroovyScript): GroovyTranslation {
  try {
    return { kind: 'js', script: new Statements(script).read() };
  } catch (error) {
    if (error instanceof NotInTable) return { kind: 'refused', fault: error.fault };
    throw error;
  }
}

class Statements {
  readonly #reader: Reader;
  readonly #script: GroovyScript;
  readonly #variables = new Map<string, Translated['type']>();
  readonly #values: Values;
  #level = 0;
  /** Whether every way through the script has said what the body becomes. */
  #hasReturned = false;

  constructor(script: GroovyScript) {
    this.#script = script;
    this.#reader = new Reader(script.text);
    this.#values = new Values(this.#reader, { ...script, variables: this.#variables });
  }

  read(): string {
    const lines = this.#block();
    if (!this.#reader.isAtEnd) this.#reader.refuse('is not in the table');
    if (this.#script.overrides && !this.#hasReturned)
      this.#reader.refuse(
        'the script ends without a value for the body: its last line is one, or returns one',
      );
    return lines.join('\n');
  }

  /** Statements up to the end, or to a closing brace. */
  #block(): readonly string[] {
    const reader = this.#reader;
    const indent = '  '.repeat(this.#level);
    const lines: string[] = [];
    reader.skipLines();
    while (!reader.isAtEnd && reader.take(/(?=\})/y) === undefined) {
      if (this.#hasReturned && this.#level === 0) reader.refuse('stands behind the value of the script');
      const line = this.#statement();
      if (line !== '') lines.push(`${indent}${line}`);
      reader.skip();
      if (!reader.isAtEnd && reader.take(/(?=[\n;}]|\/\/|\/\*)/y) === undefined)
        reader.refuse('is not in the table');
      reader.skipLines();
    }
    return lines;
  }

  #statement(): string {
    const reader = this.#reader;
    const at = reader.at;
    if (
      reader.take(
        /import\s+(?:static\s+)?io\.gravitee\.policy\.groovy\.PolicyResult(?:\.State)?\b(?!\.)/y,
      ) !== undefined
    )
      return '';
    if (reader.take(/if\b/y) !== undefined) return this.#if();
    const variable = reader.take(/(?:def|String|int|boolean)\s+([A-Za-z_]\w*)\s*=(?!=)/y)?.[1];
    if (variable !== undefined) return this.#declare(variable, at);
    const headers = reader.take(
      /(request|response)\.headers(?=[.[])(?!\.(?:getFirst|containsKey|get)\()/y,
    )?.[1];
    if (headers !== undefined) return this.#header(headers, at);
    if (reader.take(/context\.attributes\.(?:put|set)\(|context\.setAttribute\(/y) !== undefined)
      return this.#attribute();
    if (reader.take(/context\.attributes\.remove[ (](?=\s*['"])|context\.removeAttribute\(/y) !== undefined)
      return `context.remove(${this.#named(at)});`;
    const assigned = reader.take(
      /context\.attributes(?=(?:\.\w+|\.'[^'\n]*'|\["[^"\n]*"\]|\['[^'\n]*'\]|\."[^"\n]*")\s*=(?!=))/y,
    );
    if (assigned !== undefined) {
      const name = JSON.stringify(this.#values.name());
      reader.demand(/=(?!=)/y, '=');
      return `context.set(${name}, ${this.#values.value().js});`;
    }
    const status = reader.take(/response\.(status|reason)\s*=(?!=)/y)?.[1];
    if (status !== undefined) {
      this.#values.demandAnswer(at);
      return `response.${status}(${this.#values.value().js});`;
    }
    if (reader.take(/result\.state\s*=\s*(?:PolicyResult\.)?State\.(?=(?:FAILURE|SUCCESS)\b)/y) !== undefined)
      return `result.setState(State.${reader.take(/FAILURE|SUCCESS/y)?.[0] ?? ''});`;
    const setter = setters.get(reader.take(/result\.(code|error|key|contentType)\s*=(?!=)/y)?.[1] ?? '');
    if (setter !== undefined) return `result.${setter}(${this.#values.value().js});`;
    return this.#body(at);
  }

  /** The value of the script: with `return`, or on its last line. */
  #body(at: number): string {
    const reader = this.#reader;
    const { overrides, phase } = this.#script;
    const isReturn = reader.take(/return\b/y) !== undefined;
    const { js, type } = this.#values.value();
    if (!overrides) reader.refuse('a value does nothing here: the step does not override the content', at);
    if (type !== 'text' && type !== 'any') reader.refuse('the body is a text', at);
    if (this.#level > 0) reader.refuse('the value of the script stands at its end, outside of blocks', at);
    if (!isReturn) {
      reader.skipLines();
      if (!reader.isAtEnd) reader.refuse('is not in the table', at);
    }
    this.#hasReturned = true;
    return `${phase}.content(${js});`;
  }

  #declare(name: string, at: number): string {
    const reader = this.#reader;
    if (taken.test(name)) reader.refuse(`${name} cannot be the name of a variable`, at);
    if (this.#level > 0) reader.refuse('a variable is declared outside of blocks', at);
    const isNew = !this.#variables.has(name);
    if (!isNew) reader.refuse(`${name} is there already`, at);
    const { js, type } = this.#values.value();
    this.#variables.set(name, type);
    return `const ${name} = ${js};`;
  }

  #header(of: string, at: number): string {
    const reader = this.#reader;
    if (of === 'response') this.#values.demandAnswer(at);
    if (reader.take(/\.remove[ (](?=\s*['"])/y) !== undefined)
      return `${of}.headers().remove(${this.#named(at)});`;
    const method = reader.take(/\.(set|add|put)\(/y)?.[1];
    const name = method === undefined ? JSON.stringify(this.#values.name()) : this.#values.value().js;
    reader.demand(method === undefined ? /=(?!=)/y : /,/y, method === undefined ? '=' : 'a comma');
    const { js } = this.#values.value();
    if (method !== undefined) reader.demand(/\)/y, ')');
    return `${of}.headers().${method === 'add' ? 'add' : 'set'}(${name}, ${js});`;
  }

  /** A name behind `remove`, whose parentheses Groovy may leave out. */
  #named(at: number): string {
    const reader = this.#reader;
    reader.skip();
    const name = this.#values.textLiteral() ?? reader.refuse('a name is expected', at);
    reader.takeWord(/\)/y);
    return JSON.stringify(name);
  }

  #attribute(): string {
    const reader = this.#reader;
    const name = this.#values.value().js;
    reader.demand(/,/y, 'a comma');
    const { js } = this.#values.value();
    reader.demand(/\)/y, ')');
    return `context.set(${name}, ${js});`;
  }

  #if(): string {
    const reader = this.#reader;
    const branches: string[] = [];
    do {
      reader.demand(/\(/y, '(');
      const condition = this.#values.condition();
      reader.demand(/\)/y, ')');
      branches.push(`if (${condition}) ${this.#branch()}`);
      const before = reader.at;
      reader.skipLines();
      if (reader.take(/else\b/y) === undefined) {
        reader.at = before;
        return branches.join(' else ');
      }
      reader.skip();
    } while (reader.take(/if\b/y) !== undefined);
    branches.push(this.#branch());
    return branches.join(' else ');
  }

  #branch(): string {
    const reader = this.#reader;
    const isBlock = reader.takeWord(/\{/y) !== undefined;
    this.#level += 1;
    reader.skip();
    if (this.#level > levelsMax) reader.refuse(`blocks are nested deeper than ${levelsMax}`);
    const lines = isBlock ? this.#block() : [`${'  '.repeat(this.#level)}${this.#statement()}`];
    this.#level -= 1;
    if (isBlock) reader.demand(/\}/y, '}');
    return ['{', ...lines, `${'  '.repeat(this.#level)}}`].join('\n');
  }
}
