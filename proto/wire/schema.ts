import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { Fault } from '../faults/fault.ts';
import { wireLimits } from './limits.ts';

/** A message as protobufjs hands it over: own properties are the fields that were on the wire. */
export type RawMessage = Readonly<Record<string, unknown>> & {
  /** Fields that this version does not know, each with its tag, in wire order. */
  readonly $unknowns?: readonly Uint8Array[];
};

/** Encodes and decodes one message type, unknown fields kept. */
export interface MessageCodec {
  encode(message: Readonly<Record<string, unknown>>): Uint8Array;
  /** Errors: wire.malformed when the bytes are no such message, wire.too_large when there are too many. */
  decode(bytes: Uint8Array, bytesMax: number): RawMessage;
}

/** The order matters: a file stands after those that it imports. */
const protoFiles = ['record.proto', 'payloads.proto', 'head.proto', 'frames.proto'];

const root = loadRoot();

/** The codec of a message of package isthmus.v1. */
export function messageCodec(name: string): MessageCodec {
  const type = root.lookupType(`isthmus.v1.${name}`);
  return {
    encode: (message) => Uint8Array.from(type.encode(message).finish()),
    decode(bytes, bytesMax) {
      if (bytes.length > bytesMax) {
        throw new Fault('wire.too_large', {
          detail: `${name}: ${bytes.length} bytes, the most is ${bytesMax}`,
        });
      }
      demandFewFields(type, bytes, name);
      try {
        const reader = protobuf.Reader.create(bytes);
        reader.discardUnknown = false;
        return type.decode(reader) as unknown as RawMessage;
      } catch (cause) {
        throw new Fault('wire.malformed', { detail: `${name}: not decodable`, cause });
      }
    },
  };
}

/**
 * Counts fields before anything is made of them: a frame of two-byte fields would become millions of objects.
 *
 * Errors: wire.too_large. What is malformed is left to the decoder, which says so.
 */
function demandFewFields(type: protobuf.Type, bytes: Uint8Array, name: string): void {
  let left = wireLimits.fieldsMax;
  const walk = (of: protobuf.Type, reader: protobuf.Reader, end: number): void => {
    while (reader.pos < end) {
      if (left-- === 0)
        throw new Fault('wire.too_large', { detail: `${name}: more than ${wireLimits.fieldsMax} fields` });
      const tag = reader.uint32();
      const field = of.fieldsById[tag >>> 3];
      const inner = field?.resolvedType;
      if ((tag & 7) === 2 && inner instanceof protobuf.Type) {
        const length = reader.uint32();
        walk(inner, reader, Math.min(reader.pos + length, end));
      } else reader.skipType(tag & 7);
    }
  };
  try {
    walk(type, protobuf.Reader.create(bytes), bytes.length);
  } catch (error) {
    if (error instanceof Fault) throw error;
  }
}

/** Reads the .proto text beside this module: in a checkout and in the package they lie in the same folder. */
function loadRoot(): protobuf.Root {
  // 64-bit integers become numbers; every reader checks that they are safe integers (fields.ts).
  Reflect.set(protobuf.util, 'Long', undefined);
  protobuf.configure();
  const loaded = new protobuf.Root();
  for (const file of protoFiles) {
    protobuf.parse(readFileSync(join(import.meta.dirname, file), 'utf8'), loaded);
  }
  loaded.resolveAll();
  return loaded;
}
