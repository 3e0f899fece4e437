import { eventually } from '../kit/eventually.ts';
import type { FuzzCase, RequestCase, ResponseCase, UpstreamName } from './cases.ts';
import { startCheckingUpstream, type CheckingUpstream } from './checking-upstream.ts';
import { Conversations, type Heard, type Talk } from './conversations.ts';
import { FuzzedGateway, type CountedExchange, type Visitor } from './gateway.ts';
import { startHostileUpstream, type HostileUpstream } from './hostile-upstream.ts';
import { LogLedger } from './judge-logs.ts';
import {
  isPartial,
  judgeRequest,
  judgeSeen,
  requestFacts,
  type Finding,
  type RequestFacts,
} from './judge-requests.ts';
import { judgeResponse, type ResponseFacts } from './judge-responses.ts';
import { startRealServer, type RealServer, type RealServerName } from './real-servers.ts';
import { readStream } from './strict-request.ts';

/** A promise that did not hold, and the case that broke it; undefined when only the batch as a whole is known. */
export interface BrokenPromise {
  readonly finding: Finding;
  readonly case: FuzzCase | undefined;
}

/** What a batch counted besides its verdict. */
export interface BatchCount {
  readonly verdict: BrokenPromise | undefined;
  readonly cases: number;
  readonly exchanges: number;
  /** Cases of which the engine refused something, or answers that it did not let through. */
  readonly refused: number;
}

/** Conversations at one time; enough to hide the waiting, few enough to keep the event loop quick. */
const concurrency = 128;
/** How long a batch's last exchanges, connections and log lines may take after its clients have gone. */
const settleMsMax = 5_000;

/** The engine, its clients and all upstreams, started once and used for batch after batch. */
export class Scene {
  readonly #gateway: FuzzedGateway;
  readonly #checker: CheckingUpstream;
  readonly #hostile: HostileUpstream;
  readonly #servers: readonly RealServer[];
  readonly #conversations = new Conversations();
  #runs = 0;
  #onCrash: (verdict: BrokenPromise) => void = () => undefined;
  readonly #crash = (error: unknown): void => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#onCrash({ finding: { rule: 'crash', detail }, case: undefined });
  };

  private constructor(parts: {
    readonly gateway: FuzzedGateway;
    readonly checker: CheckingUpstream;
    readonly hostile: HostileUpstream;
    readonly servers: readonly RealServer[];
  }) {
    this.#gateway = parts.gateway;
    this.#checker = parts.checker;
    this.#hostile = parts.hostile;
    this.#servers = parts.servers;
    // Whatever is thrown where nobody catches it is a crash of the gateway; the cases that run are all suspects.
    process.on('uncaughtException', this.#crash);
    process.on('unhandledRejection', this.#crash);
  }

  /** Starts everything; the servers of Debian write into the folder. */
  static async start(folder: string, wanted: readonly RealServerName[]): Promise<Scene> {
    const servers: RealServer[] = [];
    for (const name of wanted) servers.push(await startRealServer(name, folder));
    const checker = await startCheckingUpstream();
    const hostile = await startHostileUpstream();
    const ports = new Map<UpstreamName | 'hostile', number>([
      ['checker', checker.port],
      ['hostile', hostile.port],
      ...servers.map((server) => [server.name, server.port] as const),
    ]);
    const gateway = new FuzzedGateway(ports);
    await gateway.start();
    return new Scene({ gateway, checker, hostile, servers });
  }

  /** What the engine refused so far, by its own reasons. */
  get refusals(): ReadonlyMap<string, number> {
    return this.#gateway.refusals;
  }

  /** Runs the cases, many at a time, and judges them; the first finding is the verdict. */
  async run(cases: readonly FuzzCase[]): Promise<BatchCount> {
    const crashed = new Promise<BatchCount>((resolve) => {
      this.#onCrash = (verdict) => resolve({ verdict, cases: cases.length, exchanges: 0, refused: 0 });
    });
    return Promise.race([this.#run(cases), crashed]);
  }

  async #run(cases: readonly FuzzCase[]): Promise<BatchCount> {
    // Both at one time: a hostile upstream's silence costs nothing while clients of the other kind are busy.
    const [asked, answered] = await Promise.all([
      this.#talkRequests(cases.filter((fuzzCase) => fuzzCase.kind === 'request')),
      this.#talkResponses(cases.filter((fuzzCase) => fuzzCase.kind === 'response')),
    ]);
    const verdict =
      (await this.#settle([...asked, ...answered])) ??
      (await this.#judgeRequests(asked)) ??
      this.#judgeResponses(answered);
    this.#gateway.clear();
    this.#checker.clear();
    this.#hostile.clear();
    return {
      verdict,
      cases: cases.length,
      exchanges: [...asked, ...answered].reduce((sum, facts) => sum + facts.exchanges.length, 0),
      refused: asked.filter(isRefused).length + answered.filter(isBroken).length,
    };
  }

  /** Runs one case alone, with nothing that another left behind. */
  async runAlone(fuzzCase: FuzzCase): Promise<Finding | undefined> {
    await this.#gateway.renewUpstreams();
    for (const server of this.#servers) server.read();
    return (await this.run([fuzzCase])).verdict?.finding;
  }

  /** Stops everything. */
  async stop(): Promise<void> {
    process.off('uncaughtException', this.#crash);
    process.off('unhandledRejection', this.#crash);
    this.#conversations.stop();
    await this.#gateway.stop();
    this.#checker.stop();
    this.#hostile.stop();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  async #talkRequests(cases: readonly RequestCase[]): Promise<readonly RequestFacts[]> {
    const batch: RequestFacts[] = [];
    await inParallel(cases, async (fuzzCase) => {
      const exchanges: CountedExchange[] = [];
      const { tail, tailHead, requests } = readStream(fuzzCase.input);
      // A body that never ends keeps its exchange open; the client gives up when only that one is left.
      const idle = tailHead === undefined ? -1 : requests.length;
      const heard = await this.#converse(fuzzCase, exchanges, () =>
        exchanges.some((exchange, index) => exchange.outcomes === 0 && index !== idle)
          ? 'answer'
          : exchanges.length < requests.length
            ? 'exchange'
            : tail === 'ambiguous'
              ? 'refusal'
              : 'nothing',
      );
      batch.push(requestFacts(fuzzCase, exchanges, heard));
    });
    return batch;
  }

  async #talkResponses(cases: readonly ResponseCase[]): Promise<readonly ResponseFacts[]> {
    const batch: ResponseFacts[] = [];
    // Those that may be silent first: their timeouts then pass while the others talk.
    const ordered = cases.toSorted((left, right) => Number(isSilent(right)) - Number(isSilent(left)));
    await inParallel(ordered, async (fuzzCase) => {
      const exchanges: CountedExchange[] = [];
      const id = String((this.#runs += 1));
      this.#hostile.script(id, fuzzCase);
      const { method, version } = fuzzCase;
      const body = method === 'POST' ? 'Content-Length: 5\r\n\r\nhello' : '\r\n';
      const input = Buffer.from(`${method} /r/${id} HTTP/${version}\r\nHost: fuzz.test\r\n${body}`, 'latin1');
      const heard = await this.#converse({ input, cuts: [], ending: 'wait' }, exchanges, () =>
        exchanges.length === 0 ? 'exchange' : exchanges[0]?.outcomes === 0 ? 'answer' : 'nothing',
      );
      const asked = this.#hostile.count(id);
      batch.push({ case: fuzzCase, exchanges, heard, asked, writtenMs: this.#hostile.writtenMs(id) });
    });
    return batch;
  }

  #judgeResponses(batch: readonly ResponseFacts[]): BrokenPromise | undefined {
    for (const facts of batch) {
      const finding = judgeResponse(facts);
      if (finding !== undefined) return { finding, case: facts.case };
    }
    const [fault] = this.#hostile.faults;
    if (fault === undefined) return undefined;
    return { finding: { rule: 'the upstream was sent nonsense', detail: fault }, case: undefined };
  }

  #converse(
    how: Pick<RequestCase, 'input' | 'cuts' | 'ending'> & Partial<Pick<RequestCase, 'upstream'>>,
    exchanges: CountedExchange[],
    awaits: Talk['awaits'],
  ): Promise<Heard> {
    const visitor: Visitor = {
      runId: String((this.#runs += 1)),
      upstream: how.upstream ?? 'hostile',
      exchanges,
    };
    const { input, cuts, ending } = how;
    const onPort = (port: number): void => this.#gateway.expect(port, visitor);
    return this.#conversations.run({ port: this.#gateway.port, input, cuts, ending, onPort, awaits });
  }

  /** Waits until the engine has ended every exchange and let go of every connection. */
  async #settle(
    batch: readonly { readonly case: FuzzCase; readonly exchanges: readonly CountedExchange[] }[],
  ): Promise<BrokenPromise | undefined> {
    const open = (): (typeof batch)[number] | undefined =>
      batch.find(({ exchanges }) => exchanges.some((exchange) => exchange.outcomes === 0));
    try {
      await eventually(() => open() === undefined && this.#gateway.connections === 0, {
        timeoutMs: settleMsMax,
        everyMs: 1,
      });
    } catch {
      const left = open();
      const detail =
        left === undefined ? `${this.#gateway.connections} connections left` : JSON.stringify(left.exchanges);
      return { finding: { rule: 'hang after the clients had gone', detail }, case: left?.case };
    }
    const [stranger] = this.#gateway.strangers;
    if (stranger === undefined) return undefined;
    return { finding: { rule: 'an exchange without a client', detail: stranger }, case: undefined };
  }

  async #judgeRequests(batch: readonly RequestFacts[]): Promise<BrokenPromise | undefined> {
    for (const facts of batch) {
      const finding = judgeRequest(facts) ?? judgeSeen(facts, this.#checker);
      if (finding !== undefined) return { finding, case: facts.case };
    }
    return this.#judgeFaults(batch) ?? (await this.#judgeLogs(batch));
  }

  /** The strict server accepted everything, but for bodies that their clients never ended. */
  #judgeFaults(batch: readonly RequestFacts[]): BrokenPromise | undefined {
    const owner = (id: string | undefined): { facts: RequestFacts; index: number } | undefined => {
      for (const facts of batch) {
        const index = facts.exchanges.findIndex((exchange) => exchange.id === id);
        if (index !== -1) return { facts, index };
      }
      return undefined;
    };
    for (const fault of this.#checker.faults) {
      const facts = owner(fault.id ?? fault.previousId)?.facts;
      return {
        finding: { rule: `the strict server found ${fault.reason}`, detail: JSON.stringify(fault) },
        case: facts?.case,
      };
    }
    for (const fault of this.#checker.partial) {
      const found = owner(fault.id);
      if (found === undefined || !isPartial(found.facts, found.index))
        return {
          finding: { rule: 'a request forwarded in part', detail: JSON.stringify(fault) },
          case: found?.facts.case,
        };
    }
    return undefined;
  }

  async #judgeLogs(batch: readonly RequestFacts[]): Promise<BrokenPromise | undefined> {
    for (const server of this.#servers) {
      const ledger = new LogLedger(server.name, batch);
      try {
        await eventually(() => (ledger.add(server.read()), ledger.isComplete), {
          timeoutMs: settleMsMax,
          everyMs: 2,
        });
      } catch {
        // The verdict says which line is missing.
      }
      if (!server.isRunning)
        return { finding: { rule: `${server.name} has ended`, detail: '' }, case: undefined };
      const verdict = ledger.verdict();
      if (verdict !== undefined) return { finding: verdict.finding, case: verdict.facts?.case };
    }
    return undefined;
  }
}

function isSilent(fuzzCase: ResponseCase): boolean {
  return fuzzCase.ending === 'keep' && fuzzCase.mutations.length > 0;
}

function isRefused({ exchanges, reading }: RequestFacts): boolean {
  return exchanges.length < reading.requests.length || reading.tail === 'ambiguous';
}

function isBroken({ exchanges: [exchange] }: ResponseFacts): boolean {
  return exchange?.failure !== undefined || exchange?.outcome?.kind === 'upstreamAborted';
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let item = items[next]; item !== undefined; item = items[next]) {
      next += 1;
      await run(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, work));
}
