import { isPartial, type Finding, type RequestFacts } from './judge-requests.ts';
import type { LoggedRequest, RealServerName } from './real-servers.ts';

/** What a server of Debian logged about a batch, against what the gateway counted. */
export interface LogVerdict {
  readonly finding: Finding;
  /** The case that is the suspect; undefined when the log does not tell. */
  readonly facts: RequestFacts | undefined;
}

// What a server answers to a request that it could not or would not read: its shape, its length, its time. Others (206, 405,
// 416 ...) are answers to a request that it has read.
const refusals: ReadonlySet<number> = new Set([
  400, 408, 411, 413, 414, 417, 421, 431, 494, 495, 496, 497, 499, 500, 501, 502, 503, 504, 505,
]);

interface Expected {
  readonly facts: RequestFacts;
  readonly partial: boolean;
}

/** What one server of Debian has to have logged for a batch. */
export class LogLedger {
  readonly #server: RealServerName;
  readonly #expected = new Map<string, Expected>();
  readonly #lines = new Map<string, LoggedRequest>();
  readonly #lastOnPort = new Map<number, string>();
  readonly #anonymous: LoggedRequest[] = [];
  readonly #suspects: (string | undefined)[] = [];
  #duplicate: LoggedRequest | undefined;
  #missing = 0;
  #partial = 0;

  constructor(server: RealServerName, batch: readonly RequestFacts[]) {
    this.#server = server;
    for (const facts of batch) {
      for (const [index, exchange] of facts.exchanges.entries()) {
        if (exchange.upstream !== server) continue;
        const partial = isPartial(facts, index);
        this.#expected.set(exchange.id, { facts, partial });
        if (partial) this.#partial += 1;
        else this.#missing += 1;
      }
    }
  }

  /** Takes lines as they come. */
  add(lines: readonly LoggedRequest[]): void {
    for (const line of lines) {
      const expected = line.id === undefined ? undefined : this.#expected.get(line.id);
      if (line.id === undefined || expected === undefined) {
        this.#anonymous.push(line);
        this.#suspects.push(this.#lastOnPort.get(line.port));
        continue;
      }
      this.#lastOnPort.set(line.port, line.id);
      if (this.#lines.has(line.id)) this.#duplicate ??= line;
      else if (!expected.partial) this.#missing -= 1;
      this.#lines.set(line.id, line);
    }
  }

  /** True when every whole exchange has its line. */
  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** The first promise that did not hold. */
  verdict(): LogVerdict | undefined {
    const say = (rule: string, line: LoggedRequest | undefined, id: string | undefined): LogVerdict => ({
      finding: { rule: `${this.#server}: ${rule}`, detail: JSON.stringify({ line, id }) },
      facts: id === undefined ? undefined : this.#expected.get(id)?.facts,
    });
    if (this.#duplicate !== undefined)
      return say('a request counted twice', this.#duplicate, this.#duplicate.id);
    for (const [id, line] of this.#lines) {
      const partial = this.#expected.get(id)?.partial === true;
      if (!partial && refusals.has(line.status))
        return say(`a forwarded request refused with ${line.status}`, line, id);
    }
    for (const [id, { partial }] of this.#expected)
      if (!partial && !this.#lines.has(id)) return say('a request not counted', undefined, id);
    // What broke off within a body may be logged without its name, once each; everything else has a name.
    if (this.#anonymous.length > this.#partial || this.#anonymous.some((line) => line.status < 400))
      return say('a request that nobody sent', this.#anonymous[0], this.#suspects[0]);
    return undefined;
  }
}
