import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { eventually } from '../eventually.ts';
import { tempDir } from '../temp-dir.ts';
import { logRecords } from './access-records.ts';
import { type GatewayWish, type LocalGateway, startLocalGateway } from './gateway.ts';

/** A log line, parsed. */
export type Log = Readonly<Record<string, unknown>>;

/** Logs all of both sides. */
export const everything = {
  mode: { entrypoint: true, endpoint: true },
  phase: { request: true, response: true },
  content: { headers: true, payload: true },
};
/** The field of an API that logs all but for what is given. */
export const logging = (more: object = {}) => ({ analytics: { logging: { ...everything, ...more } } });

/** A gateway that records and logs. */
export interface LoggingGateway extends LocalGateway {
  readonly dataDir: string;
  /** The log of a call by its answer; it comes a moment later. */
  logOf(answer: { readonly headers: Readonly<Record<string, unknown>> }): Promise<Log>;
}

/** Starts one. */
export async function startLoggingGateway(
  t: TestContext,
  wish: Pick<GatewayWish, 'apis' | 'subscriptions'>,
  logs: Readonly<Record<string, unknown>> = {},
): Promise<LoggingGateway> {
  const dataDir = join(tempDir(t), 'data');
  const gateway = await startLocalGateway(t, {
    ...wish,
    config: { dataDir, report: { enabled: true, logs } },
  });
  return {
    ...gateway,
    dataDir,
    logOf: ({ headers }) =>
      eventually(
        async () =>
          (await logRecords(dataDir)).find((log) => log['request_id'] === headers['x-gravitee-request-id']) ??
          false,
      ),
  };
}
