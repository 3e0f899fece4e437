/**
 * The bounds of everything on the wire; a decoder refuses what is beyond one with `wire.too_large` or
 * `wire.malformed`. Bytes unless the name says otherwise.
 */
export const wireLimits = {
  /** One frame; a WebSocket message or an item of a poll or snapshot body. */
  frameBytesMax: 16 * 1024 * 1024,
  /** One encoded record, definition included. */
  recordBytesMax: 8 * 1024 * 1024,
  /** Fields of one message, those of messages inside it too; each becomes an object or a string. */
  fieldsMax: 300_000,
  /** Encoded signed head or certificate. */
  headBytesMax: 2_048,
  idCharsMax: 256,
  nameCharsMax: 1_024,
  revisionCharsMax: 128,
  tagCharsMax: 64,
  tagsMax: 64,
  reasonCharsMax: 2_048,
  /** Header lines in one frame. */
  headersPerFrameMax: 10_000,
  /** Records in one payloads frame. */
  recordsPerFrameMax: 10_000,
  environmentsMax: 1_000,
  policiesMax: 1_000,
  nacksMax: 10_000,
  certificatesMax: 64,
  countersMax: 1_000,
  subscriptionsPerKeyMax: 1_000,
  certificatesPerSubscriptionMax: 100,
  dictionaryEntriesMax: 20_000,
  metadataEntriesMax: 1_000,
  sealedFieldsMax: 1_000,
  /** Keys of an environment's secrets that are in use. */
  keysPerEnvironmentMax: 100,
} as const;
