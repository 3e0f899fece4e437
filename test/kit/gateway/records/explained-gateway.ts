import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { StepList, type RecordedStep } from '../../../../proto/model/records/step-list.ts';
import { eventually } from '../../eventually.ts';
import { tempDir } from '../../temp-dir.ts';
import { accessRecords } from '../access-records.ts';
import { type GatewayWish, type LocalGateway, startLocalGateway } from '../gateway.ts';

/** What is recorded of a call, and its steps where there are some. */
export interface Explained {
  readonly record: Readonly<Record<string, unknown>>;
  readonly list: StepList | undefined;
}

/** A gateway whose records have steps. */
export interface ExplainedGateway extends LocalGateway {
  readonly dataDir: string;
  /** Of a call by its answer; its record comes a moment later. */
  explain(answer: { readonly headers: Readonly<Record<string, unknown>> }): Promise<Explained>;
  /** Of the call at a path, whose answer nobody has. */
  explainPath(path: string): Promise<Explained>;
}

/** Starts one; `steps` is the section `report.steps`, by default one that writes the steps of every call. */
export async function startExplainedGateway(
  t: Pick<TestContext, 'after'>,
  wish: GatewayWish,
  steps: Readonly<Record<string, unknown>> = { sampledShare: 1 },
): Promise<ExplainedGateway> {
  const dataDir = join(tempDir(t), 'data');
  const config = { ...wish.config, dataDir, report: { enabled: true, steps } };
  const gateway = await startLocalGateway(t, { ...wish, config });
  const found = (field: string, value: unknown): Promise<Explained> =>
    eventually(async () => {
      const record = (await accessRecords(dataDir)).find((each) => each[field] === value);
      if (record === undefined) return false;
      const text = record['steps'];
      return { record, list: typeof text === 'string' ? StepList.parse(JSON.parse(text)) : undefined };
    });
  return {
    ...gateway,
    dataDir,
    explain: ({ headers }) => found('request_id', headers['x-gravitee-request-id']),
    explainPath: (path) => found('uri', path),
  };
}

/** A step in short, e.g. `request rate-limit refused`. */
export const inShort = ({ phase, step, decision }: RecordedStep): string => `${phase} ${step} ${decision}`;
