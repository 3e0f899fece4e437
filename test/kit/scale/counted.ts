import type { Kysely, KyselyPlugin } from 'kysely';
import type { Hono } from 'hono';
import { createLog } from '../../../proto/process/log.ts';
import { createPeers } from '../../../proto/process/peers.ts';
import { createAccess } from '../../../control-plane/access/access.ts';
import { createManagementDoor } from '../../../control-plane/doors/management.ts';
import type { Database } from '../../../control-plane/storage/tables.ts';
import type { Office } from '../control-plane/office.ts';

/** A door on an office's database that notes what it asks of it. */
export interface CountedDoor {
  readonly app: Hono;
  /** Texts of the statements since the last look, but for those within transactions, in which lists are not read. */
  take(): readonly string[];
}

/** Opens one. */
export function countedDoor(office: Office): CountedDoor {
  let texts: string[] = [];
  const { db } = office.storage;
  const noting: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => {
      texts.push(db.getExecutor().compileQuery(node, queryId).sql);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const storage = { ...office.storage, db: (db as Kysely<Database>).withPlugin(noting) };
  const { clock } = office;
  const log = createLog({ name: 'test', level: 'silent' });
  const desk = { ...office.desk, storage, access: createAccess({ storage, clock }) };
  return {
    app: createManagementDoor({ desk, log, peers: createPeers([]), publicUrl: undefined, bodyMsMax: 30_000 }),
    take() {
      const taken = texts;
      texts = [];
      return taken;
    },
  };
}

/** Whether a statement asks what somebody may do, in the organization and its environments or on objects. */
export const asksRights = (text: string): boolean => text.includes('"custom_role"."rights"');
