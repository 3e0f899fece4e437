import { useEffect, useState } from 'react';
import { now } from './now.ts';
import { ago, moment } from './numbers.ts';

const lookEveryMs = 10_000;

/** Clocks differ by seconds: what was a moment ago is not told as what is to come. */
const clocksDifferMs = 60_000;
const isAhead = (ms: number, nowMs: number): boolean => ms - nowMs > clocksDifferMs;

/** An age below a day, with the whole moment on hover. */
export function Time({ at }: { readonly at: number | string }) {
  const ms = typeof at === 'number' ? at : Date.parse(at);
  const [shown, setShown] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setShown(now()), lookEveryMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={new Date(ms).toISOString()} title={moment(ms)} className="num">
      {ago(ms, isAhead(ms, shown) ? shown : Math.max(shown, ms))}
    </time>
  );
}
