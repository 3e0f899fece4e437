interface Entry<Subject, Claim> {
  readonly subject: Subject;
  /** Of revisions that serve, the newest last. */
  readonly claims: Claim[];
}

interface Claimed<Subject> {
  readonly subject: Subject;
  /** Gives it back; a second time does nothing. */
  readonly release: () => void;
}

/**
 * What revisions of APIs claim together, from the first that wants it to the last that lets go: a new revision takes it over before the old
 * one gives it back, and the newest says how it is wanted.
 */
export class Claims<Subject extends { readonly key: string }, Claim> {
  readonly #entries = new Map<string, Entry<Subject, Claim>>();
  readonly #follow: (subject: Subject, newest: Claim) => void;
  readonly #end: (subject: Subject) => void;

  /** follow: whoever claims it newest may be another one now. end: nobody claims it any more. */
  constructor(on: {
    readonly follow: (subject: Subject, newest: Claim) => void;
    readonly end: (subject: Subject) => void;
  }) {
    this.#follow = on.follow;
    this.#end = on.end;
  }

  /** begin: makes what nobody claimed yet; what it throws is kept by nobody. */
  add(key: string, claim: Claim, begin: () => Subject): Claimed<Subject> {
    const before = this.#entries.get(key);
    const entry = before ?? { subject: begin(), claims: [] };
    entry.claims.push(claim);
    if (before === undefined) this.#entries.set(key, entry);
    else this.#follow(entry.subject, claim);
    return { subject: entry.subject, release: () => this.#release(entry, claim) };
  }

  get(key: string): Subject | undefined {
    return this.#entries.get(key)?.subject;
  }

  of(key: string): readonly Claim[] {
    return this.#entries.get(key)?.claims ?? [];
  }

  *[Symbol.iterator](): Iterator<Subject> {
    for (const { subject } of this.#entries.values()) yield subject;
  }

  #release(entry: Entry<Subject, Claim>, claim: Claim): void {
    const at = entry.claims.indexOf(claim);
    if (at === -1) return;
    entry.claims.splice(at, 1);
    const newest = entry.claims.at(-1);
    if (newest !== undefined) return this.#follow(entry.subject, newest);
    this.#entries.delete(entry.subject.key);
    this.#end(entry.subject);
  }
}
