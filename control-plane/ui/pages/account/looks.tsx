import { useQuery } from '@tanstack/react-query';
import { useChoose, useChosen } from '../../api/preferences.ts';
import { environments } from '../../api/session.ts';
import { SelectField } from '../../kit/field.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { show, type ThemeChoice } from '../../shell/theme.ts';
import styles from './account.module.css';

const themes: readonly (readonly [ThemeChoice, string])[] = [
  ['SYSTEM', 'As the system is'],
  ['LIGHT', 'Light'],
  ['DARK', 'Dark'],
];
const densities: readonly (readonly ['COMFORTABLE' | 'COMPACT', string])[] = [
  ['COMFORTABLE', 'Comfortable'],
  ['COMPACT', 'Compact'],
];

/** How the reader wants the console to look, wherever he signs in; each choice counts at once. */
export function Looks() {
  const { theme = 'SYSTEM', density = 'COMFORTABLE', defaultEnvironment = '' } = useChosen();
  const { data } = useQuery(environments);
  const { mutate, error } = useChoose();
  return (
    <div className={styles['rows']}>
      <SelectField
        label="Theme"
        value={theme}
        options={themes}
        onChoose={(next) => {
          show(next);
          mutate((before) => ({ ...before, theme: next }));
        }}
      />
      <SelectField
        label="Rows of lists"
        value={density}
        options={densities}
        onChoose={(next) => mutate((before) => ({ ...before, density: next }))}
      />
      <SelectField
        label="First environment"
        hint="Shown when you come to the console by its bare address"
        value={defaultEnvironment}
        options={[['', 'The first one'], ...(data?.data ?? []).map(({ id, name }) => [id, name] as const)]}
        onChoose={(next) =>
          mutate(({ defaultEnvironment: _former, ...before }) =>
            next === '' ? before : { ...before, defaultEnvironment: next },
          )
        }
      />
      {error !== null && <ProblemBox error={error} />}
    </div>
  );
}
