/** Bytes in which a declaration has to end: there is nothing to say in it that takes more. */
const declarationBytesMax = 256;

/** By what encodings are called: those that are read. In all but UTF-16 a declaration is ASCII. */
const encodings: ReadonlyMap<string, 'utf-8' | 'latin1' | 'utf-16'> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['iso-8859-1', 'latin1'],
  ['latin1', 'latin1'],
  ['windows-1252', 'latin1'],
  ['utf-16', 'utf-16'],
]);

/** XML 1.0 section 2.8; 1.1 reads other characters as ends of lines and is not taken. */
const declaration =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][\w.-]*)["'])?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*["'](?:yes|no)["'])?[ \t\r\n]*\?>/;

/**
 * Makes characters of the bytes of an XML document, as its mark, its message and its declaration say. Where two of them disagree, whoever is
 * behind could read another document: such a one is refused.
 */
export class XmlBytes {
  readonly #charsets: readonly string[];
  #head: Buffer | undefined = Buffer.alloc(0);
  #decoder = new TextDecoder('utf-8', { fatal: true });

  /** charsets: what the message's head says of the encoding, in lower case; none is the rule. */
  constructor(charsets: readonly string[]) {
    this.#charsets = charsets;
  }

  /** Characters that are known by now, without the declaration; `unreadable` where there is no saying. */
  read(bytes: Uint8Array): { readonly text: string } | 'unreadable' {
    if (this.#head === undefined) return this.#decode(bytes, true);
    const head = Buffer.concat([this.#head, bytes]);
    if (!isDecided(head)) {
      this.#head = head;
      return { text: '' };
    }
    return this.#begin(head);
  }

  /** Nothing more comes. */
  end(): { readonly text: string } | 'unreadable' {
    if (this.#head === undefined) return this.#decode(new Uint8Array(), false);
    const begun = this.#begin(this.#head);
    if (begun === 'unreadable') return begun;
    const rest = this.#decode(new Uint8Array(), false);
    return rest === 'unreadable' ? rest : { text: begun.text + rest.text };
  }

  #begin(head: Buffer): { readonly text: string } | 'unreadable' {
    const mark = markOf(head);
    if (mark === 'utf-16le' || mark === 'utf-16be') this.#decoder = new TextDecoder(mark, { fatal: true });
    const plain =
      mark === 'utf-16le' || mark === 'utf-16be'
        ? new TextDecoder(mark).decode(head.subarray(0, declarationBytesMax * 2))
        : head.toString('latin1', mark === undefined ? 0 : 3, declarationBytesMax);
    const said = declaration.exec(plain);
    if (said === null && /^<\?xml[ \t\r\n]/.test(plain)) return 'unreadable';
    const names = [...this.#charsets, ...(said?.[1] === undefined ? [] : [said[1].toLowerCase()])];
    const kinds = new Set(names.map((name) => encodings.get(name)));
    if (mark !== undefined) kinds.add(mark === 'utf-8' ? mark : 'utf-16');
    const [kind = 'utf-8'] = kinds;
    // UTF-16 without a mark is anybody's guess, and what has no name here is not read.
    if (kinds.size > 1 || kinds.has(undefined) || (kind === 'utf-16' && mark === undefined))
      return 'unreadable';
    if (kind === 'latin1') this.#decoder = new TextDecoder('latin1', { fatal: true });
    this.#head = undefined;
    const whole = this.#decode(head, true);
    return whole === 'unreadable' ? whole : { text: whole.text.slice(said?.[0].length ?? 0) };
  }

  #decode(bytes: Uint8Array, isMore: boolean): { readonly text: string } | 'unreadable' {
    try {
      return { text: this.#decoder.decode(bytes, { stream: isMore }) };
    } catch {
      return 'unreadable';
    }
  }
}

/** A declaration is in hand whole, or there is none. */
function isDecided(head: Buffer): boolean {
  if (head.length >= declarationBytesMax) return true;
  if (head.length < 4) return false;
  const mark = markOf(head);
  if (mark === 'utf-16le' || mark === 'utf-16be') return head.includes(0x3e) && head.length % 2 === 0;
  const plain = head.toString('latin1', mark === undefined ? 0 : 3);
  return plain.includes('>') || !'<?xml '.startsWith(plain.slice(0, 5));
}

/** A mark of the byte order, which is there in UTF-8 too. */
function markOf(head: Buffer): 'utf-8' | 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 'utf-8' : undefined;
}
