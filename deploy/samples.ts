import { type SampleKeys, samplePaths } from '../control-plane/management/samples/making.ts';
import type { Clock } from '../proto/process/clock.ts';
import { version } from './version.ts';

/** By what calls of the samples are told from others in logs: who calls is `isthmus-samples`. */
const samplesAgent = `isthmus-samples/${version}`;

/** One of the calls, as often as it is made. */
interface SampleCall {
  readonly path: string;
  readonly method?: string;
  readonly key?: string | undefined;
  readonly times?: number;
}

const answerMsMax = 5_000;
/** Until gateways have what was deployed a moment ago. */
const servedMsMax = 20_000;
const servedPollMs = 50;

/** Every kind of answer that somebody may want to look at: allowed, refused for each reason, not found, failed. */
function callsOf(keys: SampleKeys): readonly SampleCall[] {
  const { echo, orders, stock } = samplePaths;
  const items = ['/7', '/8', '/9', '/7/lines', '/10'];
  return [
    ...['/', '/hello', '/hello?from=isthmus'].map((path) => ({ path: `${echo}${path}`, times: 3 })),
    { path: `${echo}/letters`, method: 'POST', times: 2 },
    ...items.map((path) => ({ path: `${orders}${path}`, key: keys.orders, times: 2 })),
    { path: `${orders}/7`, method: 'PUT', key: keys.orders },
    { path: `${orders}/7` },
    { path: `${orders}/7`, key: 'not-a-key' },
    { path: `${orders}/11/status/404`, key: keys.orders, times: 2 },
    ...(keys.stock === undefined
      ? []
      : [
          ...items.map((path) => ({ path: `${stock}${path}`, key: keys.stock?.shop })),
          { path: `${stock}/internal/prices`, key: keys.stock.shop, times: 2 },
          { path: `${stock}/count/status/503`, key: keys.stock.shop },
          // Three more than its plan lets pass in a minute.
          { path: `${stock}/umbrellas`, key: keys.stock.kiosk, times: 15 },
        ]),
  ];
}

/**
 * Calls the samples through a gateway, one call after the other, so that there is something to see; gives back how many were answered.
 *
 * Errors: those of fetch, when the gateway is away; that of the signal.
 */
export async function callSamples(
  gateway: string,
  keys: SampleKeys,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<number> {
  const call = async ({ path, method = 'GET', key }: SampleCall): Promise<number> => {
    const answer = await fetch(`${gateway}${path}`, {
      method,
      headers: { 'user-agent': samplesAgent, ...(key !== undefined && { 'x-gravitee-api-key': key }) },
      ...(method !== 'GET' && { body: JSON.stringify({ says: 'hello' }) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  // What comes too early would be recorded for no API.
  const untilMs = clock.monotonicMs() + servedMsMax;
  const last =
    keys.stock === undefined
      ? { path: `${samplePaths.orders}/7`, key: keys.orders }
      : { path: `${samplePaths.stock}/7`, key: keys.stock.kiosk };
  while ((await call(last)) !== 200 && clock.monotonicMs() < untilMs) await clock.delay(servedPollMs, signal);
  let count = 1;
  for (const each of callsOf(keys))
    for (let n = 0; n < (each.times ?? 1); n += 1) {
      await call(each);
      count += 1;
    }
  return count;
}
