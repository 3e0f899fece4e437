import { Ahead } from '../message/ahead.ts';
import { FAULTY, type FieldLimits, INCOMPLETE } from '../message/fields.ts';
import { parseResponseHead, ResponseHeadPlaces } from '../message/response-head.ts';
import type { UpstreamConnection } from './connection.ts';

/** Informational answers before the real one (RFC 9110 section 15.2); more is a flood. */
export const informationalMax = 8;

/** From bytes to answers: finds the head of each in what a connection reads. A head that came in part waits here for the rest of it. */
export class AnswerReader {
  readonly #connection: UpstreamConnection;
  readonly #limits: FieldLimits;
  readonly #ahead = new Ahead();
  #informational = 0;

  constructor(connection: UpstreamConnection, limits: FieldLimits) {
    this.#connection = connection;
    this.#limits = limits;
  }

  /** A request is sent. */
  begin(): void {
    this.#informational = 0;
  }

  /** Takes a read while no answer has begun. */
  // oxlint-disable-next-line max-params -- WireOwner's
  onBytes(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    if (this.#ahead.isEmpty) return this.#parse(bytes, start, end, isStable);
    if (!this.#ahead.addPart(bytes, start, end)) return;
    const all = this.#ahead.take();
    if (all !== undefined) this.#parse(all, 0, all.length, true);
  }

  // oxlint-disable-next-line max-params -- once per read
  #parse(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    const connection = this.#connection;
    for (let at = start; at < end;) {
      const head = new ResponseHeadPlaces();
      const behind = parseResponseHead(bytes, at, end, head, this.#limits);
      if (behind === FAULTY) return connection.fail('invalidResponse', head.invalid ?? 'status-line');
      if (behind === INCOMPLETE) return this.#ahead.keepPart(bytes, at, end);
      const text = bytes.toString('latin1', at, behind);
      at = behind;
      if (head.status === 101) return connection.upgrade(head, text, bytes.subarray(at, end));
      if (head.status >= 200) {
        connection.open(head, text);
        return connection.feedOpened(bytes, at, end, isStable);
      }
      // 1xx answers are this hop's own business.
      this.#informational += 1;
      if (this.#informational > informationalMax)
        return connection.fail('invalidResponse', 'informational-flood');
    }
  }
}
