import { customMetrics } from '../../../proto/model/access-record.ts';

/**
 * Keeps a metric among those of a request; a later one of the same name replaces an earlier one.
 *
 * What is past the bounds of `customMetrics` is told by `onBound`: a value is cut, of more names the later ones are left out.
 */
export function setMetric(
  metrics: Map<string, string>,
  { name, value }: { readonly name: string; readonly value: string },
  onBound: (message: string) => void,
): void {
  const { countMax, valueCharsMax } = customMetrics;
  if (metrics.size >= countMax && !metrics.has(name))
    return onBound(`${name} is not recorded: a request has at most ${countMax} metrics`);
  if (value.length > valueCharsMax)
    onBound(`${name} is cut: it has ${value.length} characters, a metric has at most ${valueCharsMax}`);
  metrics.set(name, value.slice(0, valueCharsMax));
}
