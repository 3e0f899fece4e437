import { Agent, request } from 'node:http';

/** What happened to the requests of a load. */
export interface LoadResult {
  /** `X-Gravitee-Request-Id` of every request whose answer arrived whole, with its status. */
  readonly answered: ReadonlyMap<string, number>;
  /** Requests without a whole answer: refused connections, resets. Their records may or may not exist. */
  readonly failed: readonly string[];
  /** Answers with a status that was not expected. */
  readonly unexpected: readonly string[];
}

/** What to ask, and of whom. */
export interface LoadOptions {
  /** Asked in turn. */
  readonly urls: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly concurrency: number;
  /** Pause of each worker between two requests; 0 is as fast as it can. */
  readonly pauseMs?: number;
  readonly expectedStatus?: number;
}

/** A load that runs until it is stopped. */
export interface RunningLoad {
  answeredSoFar(): number;
  /** Lets the requests in flight finish and says what happened to all. */
  stop(): Promise<LoadResult>;
}

/** Starts workers that each ask one request after the other over kept-alive connections. */
export function startLoad(options: LoadOptions): RunningLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: options.concurrency });
  const answered = new Map<string, number>();
  const failed: string[] = [];
  const unexpected: string[] = [];
  let isStopping = false;
  let turn = 0;

  const worker = async (): Promise<void> => {
    while (!isStopping) {
      const url = options.urls[turn++ % options.urls.length] ?? '';
      const result = await ask(agent, url, options.headers ?? {});
      if (result.kind === 'failed') failed.push(`${url}: ${result.why}`);
      else {
        answered.set(result.requestId, result.status);
        if (result.status !== (options.expectedStatus ?? 200))
          unexpected.push(`${url}: ${result.status} ${result.body}`);
      }
      // A gateway that is down refuses at once; without a pause the workers would only spin.
      const pauseMs = result.kind === 'failed' ? 20 : (options.pauseMs ?? 0);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const workers = Array.from({ length: options.concurrency }, worker);
  return {
    answeredSoFar: () => answered.size,
    async stop() {
      isStopping = true;
      await Promise.all(workers);
      agent.destroy();
      return { answered, failed, unexpected };
    },
  };
}

type Asked =
  | { readonly kind: 'answered'; readonly requestId: string; readonly status: number; readonly body: string }
  | { readonly kind: 'failed'; readonly why: string };

function ask(agent: Agent, url: string, headers: Readonly<Record<string, string>>): Promise<Asked> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ kind: 'failed', why: error.message });
    const call = request(url, { agent, headers, timeout: 40_000 });
    call.on('timeout', () => call.destroy(new Error('no answer within 40 s')));
    call.on('error', failed);
    call.on('response', (answer) => {
      const parts: string[] = [];
      answer.setEncoding('utf8').on('data', (text: string) => parts.push(text));
      answer.on('error', failed);
      answer.on('end', () => {
        if (!answer.complete) return resolve({ kind: 'failed', why: 'truncated' });
        const requestId = String(answer.headers['x-gravitee-request-id'] ?? '');
        resolve({ kind: 'answered', requestId, status: answer.statusCode ?? 0, body: parts.join('') });
      });
    });
    call.end();
  });
}

/** Does something again and again for so long, with a pause between; gives what came of each. */
export async function repeatedly<Result>(
  { forMs, pauseMs }: { readonly forMs: number; readonly pauseMs: number },
  work: () => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const untilMs = performance.now() + forMs; performance.now() < untilMs;) {
    results.push(await work());
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return results;
}
