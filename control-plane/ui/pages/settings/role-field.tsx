import { useQuery } from '@tanstack/react-query';
import { SelectField } from '../../kit/field.tsx';
import { rolesOf, spoken } from '../organization/questions.ts';

/** A role that members of a group hold on whatever has the group; empty for none. */
export function RoleField({
  scope,
  value,
  onChange,
}: {
  readonly scope: 'API' | 'APPLICATION';
  readonly value: string;
  readonly onChange: (role: string) => void;
}) {
  const { data } = useQuery(rolesOf(scope));
  // Nobody becomes the owner of something by a group.
  const names = (data ?? []).map(({ name }) => name).filter((name) => name !== 'PRIMARY_OWNER');
  return (
    <SelectField
      label={scope === 'API' ? 'Role on APIs' : 'Role on applications'}
      value={value}
      options={[
        ['', 'None'],
        ...[...new Set([...names, ...(value === '' ? [] : [value])])].map(
          (name) => [name, spoken(name)] as const,
        ),
      ]}
      onChange={({ target: { value: next } }) => onChange(next)}
    />
  );
}
