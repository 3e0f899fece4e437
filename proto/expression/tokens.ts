/** A piece of an expression's source; `at` counts characters from its beginning. */
export type Token = { readonly at: number } & (
  | { readonly kind: 'name' | 'text' | 'sign'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number | bigint; readonly isReal: boolean }
  | { readonly kind: 'end' }
);

/** What cannot be read, and where. */
export class SyntaxFault extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** Most characters of one expression, as the reference's. */
const sourceCharsMax = 10_000;
/** Most pieces of one expression; what is made of them nests as deep. */
const tokensMax = 2_000;
const intMax = 2_147_483_647n;
const longMax = 9_223_372_036_854_775_807n;

/** The longest first, so that `?.` is not read as `?`. */
const signs = '?[ ^[ $[ ![ ?: ?. == != <= >= && || ++ -- . , : ( ) [ ] { } # + - * / % ^ ! < > ? = @ &'.split(
  ' ',
);

const blank = /\s*/y;
const name = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const hexadecimal = /0[xX]([0-9a-fA-F]{1,16})([lL]?)/y;
const decimal = /(\d+)(\.\d+)?([eE][+-]?\d+)?([lLfFdD]?)/y;
const quoted = /'((?:[^']|'')*)'|"((?:[^"]|"")*)"/y;

/** Takes the source of an expression apart. Errors: {@link SyntaxFault}. */
export function tokensOf(source: string): readonly Token[] {
  if (source.length > sourceCharsMax)
    throw new SyntaxFault(`is longer than ${sourceCharsMax} characters`, sourceCharsMax);
  const tokens: Token[] = [];
  for (let at = skipBlank(source, 0); at < source.length;) {
    const [token, end] = tokenAt(source, at);
    tokens.push(token);
    if (tokens.length > tokensMax) throw new SyntaxFault(`has more than ${tokensMax} pieces`, at);
    at = skipBlank(source, end);
  }
  tokens.push({ kind: 'end', at: source.length });
  return tokens;
}

function skipBlank(source: string, at: number): number {
  return at + (match(blank, source, at)?.[0].length ?? 0);
}

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

function tokenAt(source: string, at: number): readonly [token: Token, end: number] {
  const text = match(quoted, source, at);
  if (text !== null) {
    const written = text[1]?.replaceAll("''", "'") ?? text[2]?.replaceAll('""', '"') ?? '';
    return [{ kind: 'text', text: written, at }, at + text[0].length];
  }
  const number = match(hexadecimal, source, at) ?? match(decimal, source, at);
  if (number !== null) return [numberOf(number, at), at + number[0].length];
  // Before names, since those may begin with the dollar sign.
  const sign = signs.find((each) => source.startsWith(each, at));
  if (sign !== undefined) return [{ kind: 'sign', text: sign, at }, at + sign.length];
  const word = match(name, source, at);
  if (word !== null) return [{ kind: 'name', text: word[0], at }, at + word[0].length];
  if (source[at] === "'" || source[at] === '"') throw new SyntaxFault('a text is not closed', at);
  throw new SyntaxFault(`unexpected ${JSON.stringify(source[at])}`, at);
}

function numberOf(found: RegExpExecArray, at: number): Token {
  const isHexadecimal = /^0[xX]/.test(found[0]);
  const [, digits = '', fraction, exponent, suffix = ''] = isHexadecimal
    ? [found[0], `0x${found[1]}`, undefined, undefined, found[2]]
    : found;
  if (fraction !== undefined || exponent !== undefined || /[fFdD]/.test(suffix))
    return { kind: 'number', value: Number(`${digits}${fraction ?? ''}${exponent ?? ''}`), isReal: true, at };
  const value = BigInt(digits);
  const isLong = /[lL]/.test(suffix);
  if (value > (isLong ? longMax : intMax))
    throw new SyntaxFault(
      isLong ? 'a number is too large' : 'a number over 2147483647 needs an L behind it',
      at,
    );
  return { kind: 'number', value: isLong ? value : Number(value), isReal: false, at };
}
