import { useEffect, useState } from 'react';
import { now } from './now.ts';
import { ago, moment } from './numbers.ts';

const lookEveryMs = 10_000;

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
      {ago(ms, Math.max(shown, ms))}
    </time>
  );
}
