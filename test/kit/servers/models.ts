import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { constants, createGzip, gzipSync } from 'node:zlib';

/** What came to it. */
interface ModelAsked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that answers in the published shapes of providers of models. */
export interface ModelServer {
  readonly url: string;
  readonly asked: readonly ModelAsked[];
  /** Lets the next event of a stream of the model `held` go. */
  goOn(): void;
}

/** Fields of requests, of all providers together. */
interface Wish {
  readonly model?: string;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly max_tokens?: number;
  readonly inputs?: string;
  readonly input?: string;
}

/** What a provider says of a request. */
interface Said {
  readonly whole: unknown;
  /** Events of the stream: the name of each, where it has one, and its data. */
  readonly events: readonly (readonly [name: string | undefined, data: unknown])[];
}

/** A token is a word, in this house. */
const wordsIn = (text: string): number => (text.match(/\w+/g) ?? []).length;

/** Every text below `content`, `text` and `input`, as the providers have them in their requests. */
function textsOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([name, each]) =>
      typeof each === 'string' ? (/^(content|text|input)$/.test(name) ? `${each} ` : '') : textsOf(each),
    )
    .join('');
}

/** The paths at which each provider speaks, and how. */
const providers: readonly (readonly [path: RegExp, say: (wish: Wish, prompt: number) => Said])[] = [
  [/^\/openai\/v1\/chat\/completions$/, chat],
  [/^\/mistral\/v1\/chat\/completions$/, mistral],
  [/^\/openai\/v1\/responses$/, responses],
  [/^\/anthropic\/v1\/messages$/, messages],
  [/^\/gemini\/v1beta\/models\/[\w.-]+:(?:streamG|g)enerateContent$/, gemini],
];

/**
 * Starts one. A prompt has as many tokens as words, an answer as many as `max_tokens` says, else three; a stream comes event by event, of the
 * model `held` when it is told to go on. Whoever accepts gzip gets it.
 * `/classify` calls a text with `hate` in it toxic, and `/moderations` says the same in another shape.
 */
export async function startModels(t: Pick<TestContext, 'after'>): Promise<ModelServer> {
  const asked: ModelAsked[] = [];
  const held: (() => void)[] = [];
  const wait = (next: () => void): void => void held.push(next);
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('error', () => undefined);
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts).toString();
      const [path = '', query] = (incoming.url ?? '').split('?');
      asked.push({ path, headers: incoming.headers, body });
      const wish = JSON.parse(body || '{}') as Wish;
      const { respond, stream } = answering(incoming, outgoing, wish.model === 'held' ? wait : setImmediate);
      answer({ respond, stream }, { path, query, wish });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked, goOn: () => held.shift()?.() };
}

/** How an answer leaves. */
interface Answering {
  respond(status: number, value: unknown): void;
  stream(events: Said['events']): void;
}

function answering(
  { headers }: IncomingMessage,
  outgoing: ServerResponse,
  wait: (next: () => void) => unknown,
): Answering {
  const isPacked = headers['accept-encoding']?.includes('gzip') === true;
  const encoding = isPacked ? { 'Content-Encoding': 'gzip' } : {};
  return {
    respond(status, value) {
      const text = JSON.stringify(value);
      outgoing.writeHead(status, { 'Content-Type': 'application/json', ...encoding });
      outgoing.end(isPacked ? gzipSync(text) : text);
    },
    stream(events) {
      outgoing.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', ...encoding });
      const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
      if (isPacked) gzip.pipe(outgoing);
      const out = isPacked ? gzip : outgoing;
      const next = (index: number): void => {
        const event = events[index];
        if (event === undefined) return void out.end();
        const [name, data] = event;
        const said = typeof data === 'string' ? data : JSON.stringify(data);
        out.write(`${name === undefined ? '' : `event: ${name}\n`}data: ${said}\n\n`);
        wait(() => next(index + 1));
      };
      next(0);
    },
  };
}

function answer(
  { respond, stream }: Answering,
  { path, query, wish }: { readonly path: string; readonly query: string | undefined; readonly wish: Wish },
): void {
  const text = wish.inputs ?? wish.input ?? '';
  const score = /hate/i.test(text) ? 0.9 : 0.1;
  if (path === '/classify') return respond(200, [[{ label: 'toxic', score }]]);
  if (path === '/moderations') return respond(200, { results: [{ category_scores: { hate: score } }] });
  if (path === '/embeddings') return respond(200, { data: [{ embedding: vectorOf(text) }] });
  if (path === '/broken') return respond(200, { nothing: 'known' });
  const provider = providers.find(([at]) => at.test(path));
  if (provider === undefined) return respond(503, { error: { message: 'overloaded' } });
  const { whole, events } = provider[1](wish, wordsIn(textsOf(wish)));
  if (wish.stream !== true && !path.includes(':stream')) return respond(200, whole);
  // Gemini streams one list where nobody asks for events.
  if (path.includes(':stream') && query !== 'alt=sse')
    return respond(
      200,
      events.map(([, data]) => data),
    );
  stream(events);
}

/** A place in a room with a side for each letter: texts of the same letters are near each other. */
function vectorOf(text: string): readonly number[] {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  return Array.from(letters, (letter) => text.toLowerCase().split(letter).length - 1);
}

const answeredWords = ({ max_tokens: most = 3 }: Wish): readonly string[] =>
  Array.from({ length: most }, (_, index) => `word${index} `);

function chat(wish: Wish, prompt: number): Said {
  const words = answeredWords(wish);
  const usage = {
    prompt_tokens: prompt,
    completion_tokens: words.length,
    total_tokens: prompt + words.length,
  };
  const head = { id: 'chatcmpl-1', created: 1_700_000_000, model: `${wish.model ?? 'gpt'}-2024` };
  const chunk = (choices: readonly unknown[], rest: object = {}) =>
    [undefined, { ...head, object: 'chat.completion.chunk', choices, ...rest }] as const;
  const isUsageWanted = wish.stream_options?.include_usage === true;
  const none = isUsageWanted ? { usage: null } : {};
  return {
    whole: {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: words.join('') }, finish_reason: 'stop' }],
      usage,
    },
    events: [
      chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }], none),
      ...words.map((content) => chunk([{ index: 0, delta: { content }, finish_reason: null }], none)),
      chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], none),
      ...(isUsageWanted ? [chunk([], { usage })] : []),
      [undefined, '[DONE]'],
    ],
  };
}

function mistral(wish: Wish, prompt: number): Said {
  const { whole, events } = chat({ ...wish, stream_options: {} }, prompt);
  const { usage } = whole as { readonly usage: object };
  const last = events.at(-2)?.[1] as object;
  return { whole, events: [...events.slice(0, -2), [undefined, { ...last, usage }], [undefined, '[DONE]']] };
}

function responses(wish: Wish, prompt: number): Said {
  const words = answeredWords(wish);
  const whole = {
    id: 'resp_1',
    object: 'response',
    model: wish.model ?? 'gpt',
    status: 'completed',
    output: [{ type: 'message', content: [{ type: 'output_text', text: words.join('') }] }],
    usage: {
      input_tokens: prompt,
      output_tokens: words.length,
      total_tokens: prompt + words.length,
    },
  };
  const event = (type: string, rest: object) => [type, { type, ...rest }] as const;
  return {
    whole,
    events: [
      event('response.created', { response: { ...whole, status: 'in_progress', output: [], usage: null } }),
      ...words.map((delta) => event('response.output_text.delta', { delta })),
      event('response.completed', { response: whole }),
    ],
  };
}

function messages(wish: Wish, prompt: number): Said {
  const words = answeredWords(wish);
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model: wish.model ?? 'claude' };
  const event = (type: string, rest: object = {}) => [type, { type, ...rest }] as const;
  return {
    whole: {
      ...head,
      content: [{ type: 'text', text: words.join('') }],
      stop_reason: 'end_turn',
      usage: { input_tokens: prompt, output_tokens: words.length },
    },
    events: [
      event('message_start', {
        message: { ...head, content: [], usage: { input_tokens: prompt, output_tokens: 1 } },
      }),
      event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      event('ping'),
      ...words.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
      event('content_block_stop', { index: 0 }),
      event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: words.length } }),
      event('message_stop'),
    ],
  };
}

function gemini(wish: Wish, prompt: number): Said {
  const words = answeredWords(wish);
  const part = (text: string, candidatesTokenCount: number) => ({
    candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0 }],
    usageMetadata: {
      promptTokenCount: prompt,
      candidatesTokenCount,
      totalTokenCount: prompt + candidatesTokenCount,
    },
    modelVersion: 'gemini-2',
  });
  return {
    whole: part(words.join(''), words.length),
    events: words.map((word, index) => [undefined, part(word, index + 1)]),
  };
}
