import { JobThread } from '../thread/jobs.ts';
import type { XsltJob } from './xslt-thread.ts';

/**
 * Transforms XML by a stylesheet of XSLT 1.0; undefined where nobody waited for it any more when its turn came.
 *
 * Errors: rejects with TransformFailure for what is no XML, a stylesheet that cannot be run, and past a bound.
 */
export function transformXml(job: XsltJob, over?: AbortSignal): Promise<string | undefined> {
  return thread.run(job, over);
}

/** The one thread of this process that does, which comes up with the first transformation. */
const thread = new JobThread<XsltJob>({ name: 'XSLT', source: new URL('xslt-thread', import.meta.url) });
