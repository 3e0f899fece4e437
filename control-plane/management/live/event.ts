import { maskSealed } from '../../../proto/model/secrets/sealed-values.ts';

/** Something that a stream tells. */
export interface LiveEvent {
  readonly name: string;
  /**
   * `state`: how something is; only the newest counts, and whoever comes gets it at once. `each`: one of many, of which none may be left out
   * unsaid.
   */
  readonly kind: 'state' | 'each';
  readonly data: unknown;
  /** From where a reader who comes back goes on; of characters that need no escape. */
  readonly id?: string | undefined;
}

/** An event as it is sent, one text for all who read it. */
export interface SentEvent extends Pick<LiveEvent, 'name' | 'kind'> {
  readonly text: string;
}

/** Writes an event as the standard has it; the data is one line of JSON, and no secret of a definition is in it. */
export function sentEvent({ name, kind, data, id }: LiveEvent): SentEvent {
  const place = id === undefined ? '' : `id: ${id}\n`;
  return { name, kind, text: `event: ${name}\n${place}data: ${JSON.stringify(maskSealed(data))}\n\n` };
}
