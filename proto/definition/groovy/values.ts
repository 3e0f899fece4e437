import type { Reader } from './reader.ts';

/** What an expression of Groovy comes to, as far as JavaScript would do otherwise with another. */
export interface Translated {
  readonly js: string;
  readonly type: 'text' | 'whole' | 'truth' | 'any' | 'nothing';
}

/** What a script may name where it stands. */
export interface Place {
  readonly phase: 'request' | 'response';
  readonly readsContent: boolean;
  /** Made by `def`. */
  readonly variables: ReadonlyMap<string, Translated['type']>;
}

const text = (js: string): Translated => ({ js, type: 'text' });
/** Whether something is there: in parentheses, for what stands before it, or beside it, would else take the first half. */
const asked = (js: string): Translated => ({ js: `(${js} != null)`, type: 'truth' });
const quoted = (value: string): string => JSON.stringify(value);

/** How deep values may stand in each other. */
const levelsMax = 50;
/** Members of the request that are texts in both languages. */
const requestMembers =
  /request\.(method|path|uri|host|scheme|id|transactionId|contextPath|pathInfo|remoteAddress|localAddress)\b(?![.\w]*\s*=[^=])/y;
const textMethods = /\.(toUpperCase|toLowerCase|trim)\(\)/y;
const askingMethods = /\.(contains|startsWith|endsWith)\(/y;

/** Reads values and conditions: what is in the table of `docs/groovy.md`, and nothing else. */
export class Values {
  readonly #reader: Reader;
  readonly #place: Place;
  #level = 0;

  constructor(reader: Reader, place: Place) {
    this.#reader = reader;
    this.#place = place;
  }

  /** `a == b && !c`: what is true or false in both languages. */
  condition(): string {
    let js = this.#all();
    while (this.#reader.takeWord(/\|\|/y) !== undefined) js = `${js} || ${this.#all()}`;
    return js;
  }

  #all(): string {
    let js = this.#one();
    while (this.#reader.takeWord(/&&/y) !== undefined) js = `${js} && ${this.#one()}`;
    return js;
  }

  #one(): string {
    return this.#deeper(() => this.#simple());
  }

  /** What stands in another: no script needs it often. */
  #deeper<Result>(read: () => Result): Result {
    if (this.#level === levelsMax) this.#reader.refuse(`values are nested deeper than ${levelsMax}`);
    this.#level += 1;
    const result = read();
    this.#level -= 1;
    return result;
  }

  #simple(): string {
    const reader = this.#reader;
    if (reader.takeWord(/!(?!=)/y) !== undefined) return `!${this.#one()}`;
    if (reader.takeWord(/\(/y) !== undefined) {
      const inside = this.condition();
      reader.demand(/\)/y, ')');
      return `(${inside})`;
    }
    reader.skip();
    const at = reader.at;
    const left = this.value();
    const operator = reader.takeWord(/==|!=|<=|>=|<|>/y)?.[0];
    if (operator === undefined)
      return left.type === 'truth'
        ? left.js
        : reader.refuse('a condition is a comparison, or asks whether something is there', at);
    const right = this.value();
    return this.#compared(left, right, { operator, at });
  }

  #compared(
    left: Translated,
    right: Translated,
    { operator, at }: { readonly operator: string; readonly at: number },
  ): string {
    if (operator === '==' || operator === '!=') {
      // What is not there is null for Groovy; JavaScript has two words for it.
      const isLoose = left.type === 'nothing' || right.type === 'nothing';
      return `${left.js} ${isLoose ? operator : `${operator}=`} ${right.js}`;
    }
    if (left.type !== 'whole' || right.type !== 'whole')
      this.#reader.refuse('only whole numbers are compared by size', at);
    return `${left.js} ${operator} ${right.js}`;
  }

  /** A value, or several with `+` between them. */
  value(): Translated {
    const reader = this.#reader;
    reader.skip();
    const at = reader.at;
    let sum = this.#single();
    while (reader.takeWord(/\+(?![+=])/y) !== undefined) {
      const next = this.#single();
      const type =
        sum.type === 'text' || next.type === 'text'
          ? 'text'
          : sum.type === 'whole' && next.type === 'whole'
            ? 'whole'
            : undefined;
      if (type === undefined) reader.refuse('+ joins texts, or adds whole numbers', at);
      else sum = { js: `${sum.js} + ${next.js}`, type };
    }
    return sum;
  }

  #single(): Translated {
    return this.#deeper(() => this.#called());
  }

  #called(): Translated {
    const reader = this.#reader;
    reader.skip();
    let found: Translated =
      this.#literal() ?? this.#bound() ?? this.#variable() ?? reader.refuse('is not in the table');
    for (;;) {
      const at = reader.at;
      const method = reader.take(textMethods)?.[1];
      const asking = method === undefined ? reader.take(askingMethods)?.[1] : undefined;
      const isReplacing =
        method === undefined && asking === undefined && reader.take(/\.replace\(/y) !== undefined;
      if (method === undefined && asking === undefined && !isReplacing) return found;
      if (found.type !== 'text' && found.type !== 'any') reader.refuse('is no method of this value', at);
      if (method !== undefined) found = text(`${found.js}.${method}()`);
      else if (asking !== undefined) {
        const name = asking === 'contains' ? 'includes' : asking;
        found = { js: `${found.js}.${name}(${this.#argument()})`, type: 'truth' };
      } else {
        const from = this.value();
        reader.demand(/,/y, 'a comma');
        found = text(`${found.js}.replaceAll(${from.js}, () => ${this.#argument()})`);
      }
    }
  }

  #argument(): string {
    const { js } = this.value();
    this.#reader.demand(/\)/y, ')');
    return js;
  }

  #literal(): Translated | undefined {
    const reader = this.#reader;
    const plain = this.textLiteral();
    if (plain !== undefined) return text(quoted(plain));
    const whole = reader.take(/-?(?:0|[1-9]\d{0,8})\b(?!\.\d)/y)?.[0];
    if (whole !== undefined) return { js: String(Number(whole)), type: 'whole' };
    const word = reader.take(/(?:true|false|null)\b/y)?.[0];
    if (word !== undefined) return { js: word, type: word === 'null' ? 'nothing' : 'truth' };
    return this.#spliced();
  }

  /** A text in single quotes, or in double ones without a value in it. */
  textLiteral(): string | undefined {
    const found = this.#reader.take(/'((?:[^'\\\n]|\\.)*)'(?!')|"((?:[^"\\\n$]|\\.)*)"(?!")/y);
    const inside = found?.[1] ?? found?.[2];
    if (inside === undefined) return undefined;
    return inside.replaceAll(/\\(.)/g, (_whole, sign: string) => this.#sign(sign));
  }

  #sign(sign: string): string {
    const signs = new Map([
      ['n', '\n'],
      ['t', '\t'],
      ['r', '\r'],
      ['\\', '\\'],
      ["'", "'"],
      ['"', '"'],
      ['$', '$'],
    ]);
    return signs.get(sign) ?? this.#reader.refuse(`\\${sign} in a text is not in the table`);
  }

  /** `"a ${value} b"`. */
  #spliced(): Translated | undefined {
    const reader = this.#reader;
    if (reader.take(/"(?!"")/y) === undefined) return undefined;
    const parts: string[] = [];
    for (;;) {
      const words = reader.take(/(?:[^"\\\n$]|\\.)+/y)?.[0];
      if (words !== undefined)
        parts.push(quoted(words.replaceAll(/\\(.)/g, (_whole, sign: string) => this.#sign(sign))));
      else if (reader.take(/"/y) !== undefined) break;
      else {
        if (reader.take(/\$\{/y) === undefined) reader.refuse('a value in a text stands between ${ and }');
        parts.push(`(${this.value().js})`);
        reader.demand(/\}/y, '}');
      }
    }
    return text(`(${['""', ...parts].join(' + ')})`);
  }

  /** What the gateway gives to a script. */
  #bound(): Translated | undefined {
    const reader = this.#reader;
    const at = reader.at;
    const member = reader.take(requestMembers)?.[1];
    if (member !== undefined) return text(`request.${member}()`);
    if (reader.take(/response\.status\b(?!\s*=[^=])/y) !== undefined) {
      this.demandAnswer(at);
      return { js: 'response.status()', type: 'whole' };
    }
    const content = reader.take(/(request|response)\.content\b/y)?.[1];
    if (content !== undefined) {
      if (!this.#place.readsContent || content !== this.#place.phase)
        reader.refuse('the content is that of the phase, where the step reads it', at);
      return text(`${content}.content()`);
    }
    const headers = reader.take(/(request|response)\.headers\.(getFirst|containsKey)\(/y);
    if (headers !== undefined) {
      if (headers[1] === 'response') this.demandAnswer(at);
      const js = `${headers[1] ?? ''}.header(${this.#argument()})`;
      return headers[2] === 'getFirst' ? { js, type: 'any' } : asked(js);
    }
    if (reader.take(/(request|response)\.headers\b/y) !== undefined)
      reader.refuse('a header is read by headers.getFirst(name)', at);
    if (reader.take(/request\.parameters\.getFirst\(/y) !== undefined)
      return { js: `request.parameter(${this.#argument()})`, type: 'any' };
    if (reader.take(/request\.parameters\.containsKey\(/y) !== undefined)
      return asked(`request.parameter(${this.#argument()})`);
    if (reader.take(/context\.attributes\b/y) !== undefined) {
      if (reader.take(/\.get\(/y) !== undefined)
        return { js: `context.get(${this.#argument()})`, type: 'any' };
      return { js: `context.get(${quoted(this.name())})`, type: 'any' };
    }
    if (reader.take(/dictionaries\b/y) !== undefined)
      return { js: `context.dictionaries()[${quoted(this.name())}][${quoted(this.name())}]`, type: 'any' };
    return undefined;
  }

  demandAnswer(at: number): void {
    if (this.#place.phase === 'request') this.#reader.refuse('there is no answer in the request phase', at);
  }

  /** A member by its name: `.x`, `.'x'`, `['x']`. */
  name(): string {
    const reader = this.#reader;
    const plain = reader.take(/\.([A-Za-z_]\w*)\b(?!\()/y)?.[1];
    if (plain !== undefined) return plain;
    const isInBrackets = reader.take(/\[/y) !== undefined;
    if (!isInBrackets && reader.take(/\./y) === undefined)
      reader.refuse("a name is expected: .x, .'x' or ['x']");
    const written = this.textLiteral() ?? reader.refuse("a name is expected: .x, .'x' or ['x']");
    if (isInBrackets) reader.demand(/\]/y, ']');
    return written;
  }

  #variable(): Translated | undefined {
    const reader = this.#reader;
    const at = reader.at;
    const name = reader.take(
      /[A-Za-z_]\w*\b(?!\s*[.(])|[A-Za-z_]\w*(?=\.(?:toUpperCase|toLowerCase|trim|contains|startsWith|endsWith|replace)\()/y,
    )?.[0];
    if (name === undefined) return undefined;
    const type = this.#place.variables.get(name);
    return type === undefined ? reader.refuse('is not in the table', at) : { js: name, type };
  }
}
