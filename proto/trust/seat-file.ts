import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Fault } from '../faults/fault.ts';
import { makeFolderDurably, writeDurably } from '../process/disk/durable-file.ts';

/** Keeps the ticket of a seat across restarts (seats.ts). */
export interface TicketStore {
  /** undefined when there was never one. */
  read(): string | undefined;
  /** Durable when it returns; throws when it cannot be: the old ticket then stays the one to present. */
  write(ticket: string): void;
}

/** What a ticket looks like: 32 bytes in base64url. */
export const ticketForm = /^[A-Za-z0-9_-]{43}$/;
const SeatFile = z.strictObject({ version: z.literal(1), ticket: z.string().regex(ticketForm) });

/**
 * Where a gateway keeps its ticket, `<dataDir>/seat.json`; its shipper keeps its own beside its intents.
 *
 * Errors: config.unreadable when it is there and cannot be read: without it the process would look like a copy.
 */
export function ticketFile(path: string): TicketStore {
  return {
    read() {
      let text: string;
      try {
        text = readFileSync(path, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw unreadable(path, error);
      }
      try {
        return SeatFile.parse(JSON.parse(text)).ticket;
      } catch (error) {
        throw unreadable(path, error);
      }
    },
    write(ticket) {
      makeFolderDurably(dirname(path));
      writeDurably(path, `${JSON.stringify({ version: 1, ticket })}\n`);
    },
  };
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault('config.unreadable', {
    detail: 'The seat file cannot be read.',
    internal: path,
    hint: 'Remove it, start the process, and settle its seat with: isthmus fleet reseat <gateway>.',
    cause,
  });
}
