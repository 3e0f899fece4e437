import type { LocalGateway } from './gateway/gateway.ts';

/** The status of an answer. */
export const status = async (
  gateway: LocalGateway,
  path: string,
  headers: Record<string, string> = {},
): Promise<number> => (await gateway.call(path, { headers })).status;
/** What a gateway of files says of its readiness. */
export const ready = async (gateway: LocalGateway) => {
  const answer = await fetch(`${gateway.nodeApi}/health/ready`);
  return {
    status: answer.status,
    ...((await answer.json()) as {
      problems: { file: string; reason: string }[];
      apis: { started: number; outdated: number; failed: number };
      degraded: readonly string[];
    }),
  };
};
/** A saved file is live within a second; a machine that is busy with other tests has three. */
export const withinASecond = { timeoutMs: 3_000 };
