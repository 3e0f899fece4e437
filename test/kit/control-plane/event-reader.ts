import type { TestContext } from 'node:test';

/** An event as a reader of a stream has it; `data` is parsed. */
export interface ReadEvent {
  readonly name: string;
  readonly id: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What has come of a stream of server-sent events so far. */
export interface EventReader {
  readonly events: readonly ReadEvent[];
  /** Comments, which keep a connection alive. */
  readonly beats: number;
  readonly isEnded: boolean;
  /** Those of a name. */
  named(name: string): readonly ReadEvent[];
  cancel(): Promise<void>;
}

/** Reads an answer until it ends or the test does. */
export function readEvents(t: TestContext, answer: Response): EventReader {
  const events: ReadEvent[] = [];
  const state = { isEnded: false, beats: 0 };
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const cancel = (): Promise<void> => reader.cancel().catch(() => undefined);
  t.after(cancel);
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) {
        if (part.startsWith(':')) state.beats += 1;
        else if (part.startsWith('event: ')) events.push(eventOf(part));
      }
    }
  };
  void read()
    .catch(() => undefined)
    .finally(() => (state.isEnded = true));
  return {
    events,
    get beats() {
      return state.beats;
    },
    get isEnded() {
      return state.isEnded;
    },
    named: (name) => events.filter((event) => event.name === name),
    cancel,
  };
}

function eventOf(part: string): ReadEvent {
  const fields = new Map(
    part.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  return {
    name: fields.get('event') ?? '',
    id: fields.get('id'),
    data: JSON.parse(fields.get('data') ?? '{}') as ReadEvent['data'],
  };
}
