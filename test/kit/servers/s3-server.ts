import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../eventually.ts';
import { freePort, startNode, type HouseProcess } from '../processes/processes.ts';

/** An S3-protocol server in a process of its own; its objects stay in the folder over restarts. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly process: HouseProcess;
}

/** Starts one on a free port with one empty bucket. */
export async function startS3Server(t: Pick<TestContext, 'after'>, dir: string): Promise<S3Server> {
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const child = startNode(t, [join(import.meta.dirname, 's3-server-main.ts'), dir, String(port)]);
  await eventually(() => child.output().includes('ready'), { timeoutMs: 20_000 });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'isthmus',
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    process: child,
  };
}
