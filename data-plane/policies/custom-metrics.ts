import { customMetrics } from '../../proto/model/access-record.ts';
import type { PolicyCall } from './policy.ts';

/**
 * Puts a metric into the record of a request; a later one of the same name replaces an earlier one.
 *
 * What is past the bounds of `customMetrics` is told by a warning, CUSTOM_METRIC_BOUND: a value is cut, of more names the later ones are
 * left out.
 */
export function setMetric(
  call: Pick<PolicyCall, 'customMetrics' | 'warn'>,
  name: string,
  value: string,
): void {
  const { countMax, valueCharsMax } = customMetrics;
  const metrics = (call.customMetrics ??= new Map());
  if (metrics.size >= countMax && !metrics.has(name))
    return call.warn(
      'CUSTOM_METRIC_BOUND',
      `${name} is not recorded: a request has at most ${countMax} metrics`,
    );
  if (value.length > valueCharsMax)
    call.warn(
      'CUSTOM_METRIC_BOUND',
      `${name} is cut: it has ${value.length} characters, a metric has at most ${valueCharsMax}`,
    );
  metrics.set(name, value.slice(0, valueCharsMax));
}
