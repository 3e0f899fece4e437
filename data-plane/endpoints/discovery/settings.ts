import { z } from 'zod';

import { AddressAndPort } from '../../../proto/process/listen-settings.ts';
import { section } from '../../../proto/process/settings.ts';

const ms = z.int().min(1);
/** How a gateway finds endpoints that no definition names. */
export const discoverySettings = section({
  groupsMax: z
    .int()
    .min(0)
    .max(100_000)
    .default(1_000)
    .describe('Most endpoint groups whose endpoints are found; an API past it is refused. 0 finds none.'),
  everyMsMin: ms
    .max(3_600_000)
    .default(1_000)
    .describe('Least time from one question to the next, of one group, however quickly answers come.'),
  retryMsMax: ms
    .max(3_600_000)
    .default(60_000)
    .describe(
      'Longest wait after a question that was not answered; it doubles up to this, by chance. Until then what was found stays.',
    ),
  consul: section({
    waitMs: ms
      .min(1_000)
      .max(600_000)
      .default(60_000)
      .describe('How long Consul may wait for a change before it answers.'),
    answerBytesMax: z
      .int()
      .min(1_024)
      .max(67_108_864)
      .default(2_097_152)
      .describe('Largest answer of Consul; a longer one is none.'),
  }),
  dns: section({
    servers: z
      .array(AddressAndPort)
      .max(8)
      .default([])
      .describe('Addresses of the DNS servers that are asked for endpoints; none asks those of the system.'),
    answerMsMax: ms
      .max(60_000)
      .default(2_000)
      .describe('Longest wait for one DNS server; each is asked twice.'),
    ttlMsMin: ms
      .max(86_400_000)
      .default(5_000)
      .describe('An answer of DNS is taken as it is for at least this time, whatever its records say.'),
    ttlMsMax: ms
      .max(86_400_000)
      .default(300_000)
      .describe(
        'And for at most this time; SRV records, whose own time the runtime does not tell, go by their addresses.',
      ),
  }).refine(({ ttlMsMin, ttlMsMax }) => ttlMsMin <= ttlMsMax, {
    path: ['ttlMsMin'],
    error: 'must not be more than ttlMsMax',
  }),
});
