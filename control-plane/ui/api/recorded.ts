/** One call that changes something, as it would be sent. */
export interface RecordedCall {
  readonly method: string;
  /** With its query, e.g. /management/v2/environments/DEFAULT/apis?dryRun=true. */
  readonly path: string;
  /** As it is sent; undefined where there is none. */
  readonly body: string | undefined;
  readonly isJson: boolean;
}

/** Stands for the id that the nth call answers; no id looks like it. */
export const answeredId = (nth: number): string => `answered-id-${nth}`;

/** Calls that change nothing although they are no GET. */
const asking = /\/(?:analytics|logs|_verify|_live|_search)(?:\/|\?|$)|\/_paged/;

let recording: RecordedCall[] | undefined;

/**
 * What a change would send, without sending it: each of its calls is answered at once with an id that stands for the one that it makes.
 *
 * What somebody wrote that cannot be sent is thrown as when it is done.
 */
export async function recorded(change: () => Promise<unknown>): Promise<readonly RecordedCall[]> {
  const calls: RecordedCall[] = [];
  recording = calls;
  try {
    await change();
  } catch (error) {
    // After its calls it may look for more than an id in what they answered.
    if (calls.length === 0) throw error;
  } finally {
    recording = undefined;
  }
  return calls;
}

/** The answer that a call gets while a change is recorded; undefined for what is really sent. */
export async function answerRecorded(request: Request): Promise<Response | undefined> {
  const calls = recording;
  const { pathname, search } = new URL(request.url);
  if (calls === undefined || request.method === 'GET' || asking.test(pathname)) return undefined;
  const nth = calls.length + 1;
  const call: RecordedCall = {
    method: request.method,
    path: `${pathname}${search}`,
    body: undefined,
    isJson: request.headers.get('content-type')?.startsWith('application/json') === true,
  };
  calls.push(call);
  const body = await request.text();
  calls[nth - 1] = { ...call, body: body === '' ? undefined : body };
  return Response.json({ id: answeredId(nth) });
}
