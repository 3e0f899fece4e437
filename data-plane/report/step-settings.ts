import { z } from 'zod';

/** The section `report.steps` of a gateway's configuration: of which requests the steps that they took stand on their records. */
export const stepSettings = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Whether the gateway notes when each step of a request ended. Of requests that were refused or failed, that are slow or sampled, the list stands on the record: `isthmus explain` and the console show it.',
    ),
  slowMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(1_000)
    .describe(
      'A request that took at least so many ms is slow (an event stream or a WebSocket: until it was answered); 0 for none.',
    ),
  sampledShare: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of the other requests whose steps are written, e.g. 0.01 for one in a hundred.'),
  perSecondMax: z
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe(
      'Lists of steps that one worker writes in a second at most; those of refused requests take half of it at most. Beyond, records have none.',
    ),
});
/** See {@link stepSettings}. */
export type StepSettings = z.infer<typeof stepSettings>;
