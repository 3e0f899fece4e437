import { Fault } from '../../../proto/faults/fault.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { Notifier } from '../../storage/notifier.ts';
import { type LiveEvent, type SentEvent, sentEvent } from './event.ts';
import type { EventStream } from './stream.ts';

/** What one look has found. */
interface Found {
  readonly events: readonly LiveEvent[];
  /** Events that there were beside those. */
  readonly skipped?: number;
}

/** What streams may be about. */
export interface SubjectSpec {
  /** Who has the same looks with the same eyes: one look serves them all. */
  readonly key: string;
  /** Hints that there may be something to see: a topic of the notifier and the payload that is meant. */
  readonly hints: readonly { readonly topic: string; readonly payload: string }[];
  /** Looked at so often without a hint, too: hints may be lost. */
  readonly everyMs: number;
  /** Made when the first reader comes; remembers between its looks what it has told. */
  readonly watch: () => () => Promise<Found>;
}

/** Looks are at least so far apart, however many hints there are. */
const gapMsMin = 1_000;

interface SubjectOptions {
  readonly clock: Pick<Clock, 'delay'>;
  readonly notifier: Pick<Notifier, 'subscribe'>;
  readonly log: Pick<Log, 'warn'>;
  /** The last reader has gone. */
  readonly onIdle: () => void;
}

/** Something that is looked at for all its readers of this process at once, as long as there are some. */
export class Subject {
  readonly #spec: SubjectSpec;
  readonly #options: SubjectOptions;
  readonly #streams = new Set<EventStream>();
  /** The newest of each state, for who comes. */
  readonly #states = new Map<string, SentEvent>();
  #stop = new AbortController();
  #wake = new AbortController();

  constructor(spec: SubjectSpec, options: SubjectOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  add(stream: EventStream): void {
    for (const state of this.#states.values()) stream.push(state);
    this.#streams.add(stream);
    if (this.#streams.size === 1) void this.#run();
  }

  remove(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#stop.abort();
    this.#options.onIdle();
  }

  /** Never rejects: what goes wrong is told to the readers, and tried again. */
  async #run(): Promise<void> {
    const { hints, everyMs, watch } = this.#spec;
    const { clock, notifier } = this.#options;
    const ends = hints.map(({ topic, payload }) =>
      notifier.subscribe(topic, (said) => {
        // After a reconnect of the notifier, '' says that hints may have been missed.
        if (said === payload || said === '' || payload === '') this.#wake.abort();
      }),
    );
    const look = watch();
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      await this.#look(look);
      await clock.delay(gapMsMin, this.#stop.signal);
      await clock.delay(everyMs - gapMsMin, AbortSignal.any([this.#stop.signal, this.#wake.signal]));
    }
    for (const end of ends) end();
  }

  async #look(look: () => Promise<Found>): Promise<void> {
    try {
      const { events, skipped = 0 } = await look();
      for (const event of events) this.#tell(sentEvent(event));
      if (skipped > 0) for (const stream of this.#streams) stream.skip(skipped);
      if (this.#states.has('trouble')) this.#tell(sentEvent({ name: 'trouble', kind: 'state', data: {} }));
      this.#states.delete('trouble');
    } catch (error) {
      // A stream is no place to tell of bugs: what is no fault says only that there was one.
      const { code, detail } = error instanceof Fault ? error : new Fault('platform.bug');
      const data = { technicalCode: code, message: detail };
      const isNew = this.#tell(sentEvent({ name: 'trouble', kind: 'state', data }));
      if (isNew)
        this.#options.log.warn(
          { err: error },
          'what streams are about cannot be looked at; it is tried again',
        );
    }
  }

  /** False for a state that is as it was. */
  #tell(event: SentEvent): boolean {
    if (event.kind === 'state') {
      if (this.#states.get(event.name)?.text === event.text) return false;
      this.#states.set(event.name, event);
    }
    for (const stream of this.#streams) stream.push(event);
    return true;
  }
}
