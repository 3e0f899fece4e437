import type { Clock } from '../../../proto/process/clock.ts';
import type { CaptureMemory } from '../../http/exchange.ts';
import { fieldOf } from './prompts.ts';

const dimensionsMax = 8_192;
/** What numbers of 32 bits make of the cosine of two vectors that are the same. */
const rounding = 1e-5;

/** What is found near a prompt. */
export interface Near {
  readonly value: Uint8Array;
  /** Cosine of the angle between the two. */
  readonly score: number;
}

interface Entry {
  readonly value: Uint8Array;
  readonly vector: Float32Array;
  readonly partition: string;
  /** Monotonic. */
  readonly endsAtMs: number;
}

/** Bounds of a store. */
interface VectorStoreOptions {
  readonly entriesMax: number;
  readonly lifeMs: number;
  /** Shared with others. */
  readonly memory: CaptureMemory;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Values by vectors of length one, in partitions that know nothing of each other. */
export class VectorStore {
  readonly #options: VectorStoreOptions;
  /** The oldest first. */
  readonly #entries = new Set<Entry>();
  readonly #partitions = new Map<string, Set<Entry>>();

  constructor(options: VectorStoreOptions) {
    this.#options = options;
  }

  /** The nearest of a partition whose score is at least this. Looks at each of them. */
  nearest(partition: string, vector: Float32Array, threshold: number): Near | undefined {
    this.#forgetEnded();
    let best: Near | undefined;
    for (const entry of this.#partitions.get(partition) ?? []) {
      const score = dot(entry.vector, vector);
      if (score >= (best?.score ?? threshold - rounding)) best = { value: entry.value, score };
    }
    return best;
  }

  /** Keeps a value if there is room; the oldest goes for it. */
  add(partition: string, vector: Float32Array, value: Uint8Array): void {
    const { entriesMax, lifeMs, memory, clock } = this.#options;
    this.#forgetEnded();
    if (this.#entries.size >= entriesMax) this.#forgetOldest();
    const entry = { value, vector, partition, endsAtMs: clock.monotonicMs() + lifeMs };
    const bytes = bytesOf(entry);
    while (!memory.take(bytes)) if (!this.#forgetOldest()) return;
    this.#entries.add(entry);
    const others = this.#partitions.get(partition);
    if (others === undefined) this.#partitions.set(partition, new Set([entry]));
    else others.add(entry);
  }

  clear(): void {
    for (const entry of this.#entries) this.#forget(entry);
  }

  /** All live equally long, so those that have ended are in front. */
  #forgetEnded(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const entry of this.#entries) {
      if (entry.endsAtMs > nowMs) return;
      this.#forget(entry);
    }
  }

  /** Says whether there was one. */
  #forgetOldest(): boolean {
    const [oldest] = this.#entries;
    if (oldest !== undefined) this.#forget(oldest);
    return oldest !== undefined;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry);
    const others = this.#partitions.get(entry.partition);
    others?.delete(entry);
    if (others?.size === 0) this.#partitions.delete(entry.partition);
    this.#options.memory.give(bytesOf(entry));
  }
}

/** What an entry takes beside its value and vector, about. */
const entryBytes = 512;
const bytesOf = ({ value, vector }: Entry): number => value.length + vector.byteLength + entryBytes;

/** Vectors of two models are of nothing in common. */
function dot(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length) return -1;
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += (one[index] ?? 0) * (other[index] ?? 0);
  return sum;
}

/** The vector in an answer of a service, of length one; undefined where there is none. */
export function vectorIn(said: unknown): Float32Array | undefined {
  const data = fieldOf(said, 'data');
  const shapes: readonly unknown[] = [
    fieldOf(Array.isArray(data) ? data[0] : undefined, 'embedding'),
    fieldOf(said, 'embedding'),
    firstOf(fieldOf(said, 'embeddings')),
    firstOf(said),
    said,
  ];
  const numbers = shapes.find((shape) => isNumbers(shape));
  if (!isNumbers(numbers)) return undefined;
  const length = Math.hypot(...numbers);
  if (!Number.isFinite(length) || length === 0) return undefined;
  return Float32Array.from(numbers, (each) => each / length);
}

const firstOf = (value: unknown): unknown => (Array.isArray(value) ? (value[0] as unknown) : undefined);

function isNumbers(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= dimensionsMax &&
    value.every((each) => typeof each === 'number' && Number.isFinite(each))
  );
}
