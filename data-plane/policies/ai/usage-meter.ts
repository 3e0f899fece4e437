import { brotliDecompressSync, constants, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

import { isNestedDeeper } from '../../../proto/expression/json/levels.ts';
import { withResponse } from '../../../proto/expression/scope.ts';
import type { Template } from '../../../proto/expression/template.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import {
  Capture,
  CaptureMemory,
  type HeaderList,
  type ResponseHead,
  type TransformMaker,
} from '../../http/exchange.ts';
import type { PolicyCall } from '../policy.ts';
import { mediaTypesOf } from '../threats/media-types.ts';
import { EventReader } from './event-reader.ts';
import { countOf, merged, noUsage, type ReadUsage, type Usage, usageReader } from './usage-shapes.ts';

/** Where usage stands in answers, as a definition says it. */
export type Extraction = PolicyConfig<'token-ratelimit'>['extraction'];

/** Of an answer that is no stream, as it came, and unpacked; in a longer one nobody looks. */
const answerBytesMax = 8 * 1024 * 1024;
/** Of all answers of this process whose end is awaited, and of events that pointers will be asked about; without room those are passed over. */
const memory = new CaptureMemory(64 * 1024 * 1024);
/** Events of a stream that pointers of a definition are asked about: it would be dear to ask them about all. */
const [firstEvents, lastEvents] = [4, 8];
/** A token of four characters is the rule of thumb of providers. */
export const charsPerToken = 4;

/** An answer at its head, whose body is still to pass. */
export interface MeteredAnswer extends Pick<ResponseHead, 'status' | 'headers'> {
  readonly isEmpty: boolean;
}

/** What was learnt of an answer. */
export interface Metered extends Usage {
  /** Tokens that came without being counted by whoever made them: one for each event, or by their bytes. */
  readonly outputGuess: number;
}

/**
 * Looks at an answer while it passes, and changes nothing of it. A stream of events is read event by event; another answer is copied to be
 * read at its end, and so is one that is packed.
 */
export class UsageMeter {
  readonly #call: PolicyCall;
  readonly #extraction: Extraction;
  readonly #headers: HeaderList;
  /** As the backend sent it: steps of the answer may pack it anew. */
  readonly #coding: string;
  readonly #status: number;
  readonly #events: EventReader | undefined;
  readonly #capture: Capture | undefined;
  #usage: Usage = noUsage;
  #eventCount = 0;
  #bytes = 0;
  #first: Uint8Array[] = [];
  #last: Uint8Array[] = [];
  readonly #read: ReadUsage | undefined;

  /** What the body passes through, as long behind it as in front. */
  readonly through: TransformMaker = (to) => ({
    // oxlint-disable-next-line max-params -- BodySink's
    onPiece: (bytes, start, end, isStable) => {
      this.#add(bytes, start, end);
      to.onPiece(bytes, start, end, isStable);
    },
  });

  private constructor(
    call: PolicyCall,
    extraction: Extraction,
    { status, headers, isStream }: MeteredAnswer & { readonly isStream: boolean },
  ) {
    this.#call = call;
    this.#extraction = extraction;
    this.#headers = headers;
    this.#coding = (headers.get('content-encoding') ?? 'identity').toLowerCase();
    this.#status = status;
    this.#read = extraction.type === 'CUSTOM' ? undefined : usageReader(extraction.type);
    const reader = new EventReader((data) => this.#event(data));
    this.#events = isStream ? reader : undefined;
    this.#capture =
      isStream && !headers.has('content-encoding') ? undefined : new Capture(memory, answerBytesMax);
  }

  /** Undefined for an answer that says nothing of usage: it is neither JSON nor a stream of events, or a failure. */
  static of(call: PolicyCall, extraction: Extraction, answer: MeteredAnswer): UsageMeter | undefined {
    if (answer.status < 200 || answer.status > 299 || answer.isEmpty) return undefined;
    const types = mediaTypesOf(answer.headers);
    const isStream = types.includes('text/event-stream');
    if (!isStream && !types.some((type) => type.includes('json'))) return undefined;
    return new UsageMeter(call, extraction, { ...answer, isStream });
  }

  /** What was said; asked once, when the answer is over, whole or not. */
  finish(): Metered {
    const capture = this.#capture;
    if (capture !== undefined) {
      const isWhole = capture.cutBy === undefined;
      const bytes = isWhole ? unpacked(capture.bytes, this.#coding) : undefined;
      if (bytes !== undefined && this.#events !== undefined) this.#events.add(bytes, 0, bytes.length);
      else if (bytes !== undefined) this.#document(bytes);
      capture.release();
    }
    for (const content of [...this.#first, ...this.#last]) {
      memory.give(content.length);
      this.#ask(content);
    }
    this.#first = [];
    this.#last = [];
    const guess = this.#eventCount > 0 ? this.#eventCount : Math.ceil(this.#bytes / charsPerToken);
    return { ...this.#usage, outputGuess: guess };
  }

  #add(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#capture !== undefined) this.#capture.add(bytes, start, end);
    else this.#events?.add(bytes, start, end);
  }

  #event(data: Uint8Array): void {
    this.#eventCount += 1;
    if (this.#read !== undefined) return this.#take(data, this.#read);
    if (!memory.take(data.length)) return;
    if (this.#first.length < firstEvents) return void this.#first.push(data);
    this.#last.push(data);
    if (this.#last.length > lastEvents) memory.give(this.#last.shift()?.length ?? 0);
  }

  /** An answer that is one document; of a list, as streams without events are, each part counts. */
  #document(bytes: Uint8Array): void {
    if (this.#read === undefined) return this.#ask(bytes);
    this.#take(bytes, this.#read);
  }

  #take(bytes: Uint8Array, read: ReadUsage): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    if (isNestedDeeper(text)) return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    for (const each of Array.isArray(value) ? (value as readonly unknown[]) : [value])
      this.#usage = merged(this.#usage, read(each));
  }

  /** Asks pointers of the definition about a document, as if it were the answer. */
  #ask(content: Uint8Array): void {
    if (this.#extraction.type !== 'CUSTOM') return;
    const { inputTokenPointer, outputTokenPointer, modelPointer } = this.#extraction;
    const scope = withResponse(this.#call, { status: this.#status, headers: this.#headers, content });
    const textOf = (pointer: Template<string>): string | undefined => {
      const rendered = pointer.render(scope);
      return rendered.kind === 'value' && rendered.value !== '' ? rendered.value : undefined;
    };
    this.#usage = merged(this.#usage, {
      inputTokens: tokensOf(textOf(inputTokenPointer)),
      outputTokens: tokensOf(textOf(outputTokenPointer)),
      model: textOf(modelPointer),
    });
  }
}

const tokensOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) ? countOf(Number(text)) : undefined;

/** What of a packed answer has come, also of one that broke off; undefined for a coding that is not known here, and for more than is read. */
function unpacked(bytes: Uint8Array, coding: string): Uint8Array | undefined {
  const maxOutputLength = answerBytesMax;
  try {
    switch (coding) {
      case 'identity':
        return bytes;
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(bytes, { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH });
      case 'deflate':
        return inflateSync(bytes, { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH });
      case 'br':
        return brotliDecompressSync(bytes, {
          maxOutputLength,
          finishFlush: constants.BROTLI_OPERATION_FLUSH,
        });
      case 'zstd':
        return zstdDecompressSync(bytes, { maxOutputLength, finishFlush: constants.ZSTD_e_flush });
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
