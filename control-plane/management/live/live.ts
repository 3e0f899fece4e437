import { Fault } from '../../../proto/faults/fault.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { Metrics } from '../../../proto/process/metrics.ts';
import type { Actor } from '../../access/actor.ts';
import { rightsTopic } from '../../access/changed-rights.ts';
import type { Notifier } from '../../storage/notifier.ts';
import { EventStream } from './stream.ts';
import { Subject, type SubjectSpec } from './subject.ts';

/** How many streams there may be, and for how long. */
export interface LiveLimits {
  /** Of this process. */
  readonly streamsMax: number;
  /** Of one organization in this process. */
  readonly streamsPerOrganizationMax: number;
  /** Of one user in this process. */
  readonly streamsPerUserMax: number;
  /** Longest life of a stream; who reads it comes again. */
  readonly lifeMsMax: number;
}

/** What streams are bounded by where nobody says otherwise. */
export const liveLimits: LiveLimits = {
  streamsMax: 500,
  streamsPerOrganizationMax: 400,
  streamsPerUserMax: 20,
  lifeMsMax: 1_800_000,
};

/** Whether readers still may is asked so often without a hint: of tokens that end, and of hints that were lost. */
export const judgeEveryMs = 30_000;
/** Readers that are judged at once when a hint says that rights have changed. */
const judgedAtOnceMax = 4;

/** Who reads what. */
export interface Reading {
  readonly actor: Actor;
  /** Who he is by now, judged anew. Errors: those of a door and of a route. */
  readonly again: () => Promise<Actor>;
  /** What he reads, which may be less than it was, once his rights have changed. */
  readonly subject: (actor: Actor) => Promise<SubjectSpec>;
}

/** The streams of this process. */
export interface Live {
  /** Opens one. Errors: request.too_many. */
  open(reading: Reading): Promise<EventStream>;
  /** Ends all of them, and opens no more. */
  close(): void;
  readonly size: number;
}

/** What streams work with. */
export interface LiveOptions {
  readonly storage: { readonly notifier: Pick<Notifier, 'subscribe'> };
  readonly clock: Pick<Clock, 'after' | 'delay' | 'monotonicMs'>;
  readonly log: Pick<Log, 'warn'>;
  readonly limits?: LiveLimits | undefined;
  readonly metrics?: Metrics | undefined;
}

interface Reader {
  readonly stream: EventStream;
  readonly reading: Reading;
  readonly subject: Subject;
  readonly key: string;
  judgedMs: number;
}

/** Makes the streams of a process; nothing runs before the first. */
export function createLive(options: LiveOptions): Live {
  return new Streams(options);
}

class Streams implements Live {
  readonly #options: LiveOptions;
  readonly #limits: LiveLimits;
  readonly #readers = new Set<Reader>();
  readonly #subjects = new Map<string, Subject>();
  readonly #due = new Set<Reader>();
  readonly #gauge;
  readonly #refused;
  #isClosed = false;
  #isFollowing = false;
  #judging = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#limits = options.limits ?? liveLimits;
    this.#gauge = options.metrics?.gauge(
      'isthmus_management_streams',
      'Streams of server-sent events that are open.',
    );
    this.#refused = options.metrics?.counter(
      'isthmus_management_streams_refused_total',
      'Streams of server-sent events that were refused, by the bound that they met: of all, of one organization, or of one user.',
      ['bound'],
    );
  }

  get size(): number {
    return this.#readers.size;
  }

  async open(reading: Reading): Promise<EventStream> {
    this.#demandRoom(reading.actor);
    const spec = await reading.subject(reading.actor);
    // Others may have come while it was found out what this one is about.
    this.#demandRoom(reading.actor);
    this.#follow();
    const { clock } = this.#options;
    const { lifeMsMax } = this.#limits;
    const stream = new EventStream({ clock, lifeMsMax, onClosed: () => this.#leave(reader) });
    const subject = this.#subjectOf(spec);
    const reader: Reader = { stream, reading, subject, key: spec.key, judgedMs: clock.monotonicMs() };
    this.#readers.add(reader);
    this.#gauge?.set(this.#readers.size);
    subject.add(stream);
    return stream;
  }

  close(): void {
    this.#isClosed = true;
    for (const { stream } of this.#readers) stream.end('shutdown');
  }

  #demandRoom({ organization, id }: Actor): void {
    const { streamsMax, streamsPerOrganizationMax, streamsPerUserMax } = this.#limits;
    const refuse = (bound: 'all' | 'organization' | 'user', detail: string): never => {
      this.#refused?.inc({ bound });
      throw new Fault('request.too_many', { detail });
    };
    if (this.#isClosed) refuse('all', 'This control plane is ending; ask another one.');
    if (this.#readers.size >= streamsMax)
      refuse('all', `This control plane has ${streamsMax} streams open, which is all that it may.`);
    const ours = [...this.#readers].filter(({ reading: { actor } }) => actor.organization === organization);
    if (ours.length >= streamsPerOrganizationMax)
      refuse(
        'organization',
        `Your organization has ${streamsPerOrganizationMax} streams open here, the most.`,
      );
    const mine = ours.filter(({ reading: { actor } }) => actor.id === id);
    if (mine.length >= streamsPerUserMax)
      refuse('user', `You have ${streamsPerUserMax} streams open here; end one first.`);
  }

  #subjectOf(spec: SubjectSpec): Subject {
    const known = this.#subjects.get(spec.key);
    if (known !== undefined) return known;
    const { clock, log, storage } = this.#options;
    const onIdle = (): void => void this.#subjects.delete(spec.key);
    const subject = new Subject(spec, { clock, log, notifier: storage.notifier, onIdle });
    this.#subjects.set(spec.key, subject);
    return subject;
  }

  #leave(reader: Reader): void {
    this.#readers.delete(reader);
    this.#due.delete(reader);
    this.#gauge?.set(this.#readers.size);
    reader.subject.remove(reader.stream);
  }

  /** From the first stream on: hints of changed rights, and a look at the clock. */
  #follow(): void {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    const { clock, storage } = this.#options;
    storage.notifier.subscribe(rightsTopic, (organization) => {
      for (const reader of this.#readers)
        if (organization === '' || reader.reading.actor.organization === organization) this.#due.add(reader);
      this.#judgeDue();
    });
    const look = (): void => {
      const nowMs = clock.monotonicMs();
      for (const reader of this.#readers) if (nowMs - reader.judgedMs >= judgeEveryMs) this.#due.add(reader);
      this.#judgeDue();
      clock.after(judgeEveryMs / 6, look);
    };
    clock.after(judgeEveryMs / 6, look);
  }

  #judgeDue(): void {
    while (this.#judging < judgedAtOnceMax) {
      const [reader] = this.#due;
      if (reader === undefined) return;
      this.#due.delete(reader);
      this.#judging += 1;
      void this.#judge(reader).finally(() => {
        this.#judging -= 1;
        this.#judgeDue();
      });
    }
  }

  /** Ends the stream of who may not read it any more, or not all of it. Never rejects. */
  async #judge(reader: Reader): Promise<void> {
    const { reading, stream, key } = reader;
    reader.judgedMs = this.#options.clock.monotonicMs();
    try {
      const actor = await reading.again();
      if ((await reading.subject(actor)).key !== key) stream.end('rights');
    } catch (error) {
      // What cannot be found out now is asked again: whoever is away tells nothing meanwhile.
      if (error instanceof Fault && (error.status >= 500 || error.status === 429)) return;
      stream.end('rights');
    }
  }
}
