import { FlaskConical } from 'lucide-react';
import { useSamples } from '../api/samples.ts';
import { Tag } from './status.tsx';

/** Says of an API or an application that it is one of the samples; nothing of all others. `isSmall` where rows are narrow. */
export function SampleTag({
  env,
  id,
  isSmall = false,
}: {
  readonly env: string;
  readonly id: string;
  readonly isSmall?: boolean;
}) {
  if (!useSamples(env).some((sample) => sample.id === id)) return null;
  if (!isSmall) return <Tag>sample</Tag>;
  return (
    <span className="quiet" title="sample">
      <FlaskConical size={12} aria-hidden />
      <span className="hidden">sample</span>
    </span>
  );
}
