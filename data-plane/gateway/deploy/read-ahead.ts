import type { ReadApi } from '../../../proto/definition/read.ts';
import { decodeApi } from '../../../proto/wire/payloads.ts';
import type { SetRecord } from './change.ts';
import { readDefinition } from './definitions.ts';

/** How many definitions of one change are read ahead; what is read waits in memory, 20 KiB each. More are read when the change is taken in. */
const aheadMax = 256;

const ahead = new WeakMap<SetRecord, ReadApi>();

/**
 * Reads the definitions of a change that is about to be taken in, each in a turn of its own: requests are answered between two of them, and
 * taking the change in whole, which is one turn, is that much shorter. What cannot be read is refused then, not here. Never rejects.
 */
export async function readAhead(records: readonly SetRecord[]): Promise<void> {
  const apis = records.filter(
    ({ kind, judged, refusal }) => kind === 'api' && judged === undefined && refusal === undefined,
  );
  for (const record of apis.slice(0, aheadMax)) {
    await new Promise((resolve) => setImmediate(resolve));
    try {
      ahead.set(record, readDefinition(decodeApi(record.payload).definition));
    } catch {
      // Read again when the change is taken in, where a throw refuses the record.
    }
  }
}

/** What the record's definition says, by what was read ahead if anything was. Errors: request.invalid. */
export function readOf(record: SetRecord, text: string): ReadApi {
  const read = ahead.get(record);
  ahead.delete(record);
  return read ?? readDefinition(text);
}
