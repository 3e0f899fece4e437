import { z } from 'zod';

import {
  lineSchema,
  maybeInteger,
  maybeText,
  type RecordFields,
  tenantFields,
  text,
  timestamp,
  typeOf,
} from '../record-fields.ts';

/** A yes or no as a number, as all columns of the lake are texts, numbers or times. */
const flag = {
  schema: z.int().min(0).max(1),
  column: 'integer',
  meaning: { kind: 'between', spans: [[0, 1]] },
} as const;

/** Every field of a health record: one check of an endpoint, and what it made of its state. */
export const healthFields = {
  type: typeOf('health-check'),
  ...tenantFields,
  api_id: text,
  api_name: text,
  /** When the check began. */
  timestamp,
  endpoint_group: text,
  endpoint_name: text,
  /** What was called; absent when it was not known whom to call. */
  endpoint: maybeText,
  /** Whether the assertion held. */
  success: flag,
  /** Whether requests go there now. */
  available: flag,
  /** 0 DOWN, 1 TRANSITIONALLY_DOWN, 2 TRANSITIONALLY_UP, 3 UP. */
  state: { schema: z.int().min(0).max(3), column: 'integer', meaning: { kind: 'between', spans: [[0, 3]] } },
  /** Whether this check changed the state. */
  transition: flag,
  response_time_ms: { schema: z.int().min(0), column: 'integer' },
  check_method: text,
  /** Absent when there was no answer. */
  check_status: maybeInteger,
  /** Why it failed. */
  message: maybeText,
} as const satisfies RecordFields;

/** One check of an endpoint, as it stands in a line. */
export const HealthRecord = lineSchema(healthFields);
/** See {@link HealthRecord}. */
export type HealthRecord = z.infer<typeof HealthRecord>;
