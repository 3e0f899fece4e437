import { kindOfName, kinds, lastHopByHop } from './field-kind.ts';

// RFC 9110 section 5.5. Also keeps code points past latin1 out, whose low byte may be CR or LF on the wire.
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Longer values are judged each time: what is remembered stays in memory. */
const rememberedMax = 256;

/** The last value that was good, whatever its name: ids are set under two. */
let lastGood: string | undefined;

/** The name of a header that the gateway or a policy sets, taken apart. */
export class HeaderName {
  /** As it was spelled. */
  readonly name: string;
  readonly lowerName: string;
  /** See field-kind.ts. */
  readonly kind: number;
  /** False for framing and hop-by-hop fields, which only an engine sends. */
  readonly isSent: boolean;
  /** How its line begins. */
  readonly prefix: string;
  #lastGood: string | undefined = undefined;

  constructor(name: string) {
    this.name = name;
    this.lowerName = name.toLowerCase();
    this.kind = kindOfName(name);
    this.isSent = this.kind === kinds.none || this.kind > lastHopByHop;
    this.prefix = `${name}: `;
  }

  /** Refuses a value that would end its line early; one that comes again, here or under the next name, is looked at once. */
  judge(value: string): void {
    if (value === this.#lastGood || value === lastGood) return;
    if (forbiddenInValue.test(value))
      throw new TypeError(`the value of header ${this.name} holds a forbidden character`);
    if (value.length > rememberedMax) return;
    this.#lastGood = value;
    lastGood = value;
  }
}

/** Names that the gateway and its policies set: few, and again with every request. Past the bound all are forgotten. */
const known = new Map<string, HeaderName>();
const knownMax = 1_000;

/** Takes a name apart, once. Refuses what is no token; such a name comes from a policy, never from the wire. */
export function headerName(name: string): HeaderName {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (!token.test(name)) throw new TypeError('a header name holds a forbidden character');
  const made = new HeaderName(name);
  if (known.size >= knownMax) known.clear();
  known.set(name, made);
  return made;
}

/**
 * What servers behind us may read a name as: nothing but letters, digits and `-`, in lower case.
 *
 * CGI and WSGI make a variable's name of it (RFC 3875 section 4.1.18): all of them fold `-` and `_`, PHP `.` as well, lighttpd every mark.
 */
export function foldedName(lowerName: string): string {
  return lowerName.replaceAll(/[^0-9a-z]/g, '-');
}
