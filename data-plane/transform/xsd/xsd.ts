import { JobThread } from '../thread/jobs.ts';
import type { XsdJob } from './xsd-thread.ts';

/**
 * Says why a document of XML does not fit a schema of XSD 1.0; empty when it does, undefined where nobody waited for
 * that any more when its turn came.
 *
 * Errors: rejects with TransformFailure for a schema that cannot be used and past a bound, with ThreadBusy when it never came to it.
 */
export function validateXml(job: XsdJob, over?: AbortSignal): Promise<string | undefined> {
  return thread.run(job, over);
}

/** The one thread of this process that does, which comes up with the first document. */
const thread = new JobThread<XsdJob>({ name: 'XSD', source: new URL('xsd-thread', import.meta.url) });
