import { ChecksField } from '../../kit/checks.tsx';
import type { Hook } from './questions.ts';

/** A choice of what one is told of. */
export function HooksField({
  label,
  hooks,
  chosen,
  onChange,
}: {
  readonly label: string;
  readonly hooks: readonly Hook[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}) {
  return (
    <ChecksField
      label={label}
      choices={hooks.map(({ id, label: name, description: about }) => ({ id, name, about }))}
      chosen={chosen}
      onChange={onChange}
    />
  );
}
