import { Check } from 'lucide-react';
import styles from './role.module.css';
import { spoken } from './questions.ts';

/** What can be done with something, in the letters of the API. */
export type Letter = 'C' | 'R' | 'U' | 'D';
/** Letters by what they are on: `{ PLAN: ['C', 'R'] }`. */
export type Held = Readonly<Record<string, readonly string[]>>;

/** The letters with the words for them, in the order in which they are written. */
export const letters: readonly (readonly [Letter, string])[] = [
  ['C', 'Create'],
  ['R', 'Read'],
  ['U', 'Update'],
  ['D', 'Delete'],
];

interface MatrixProps {
  readonly label: string;
  readonly names: readonly string[];
  readonly held: Held;
  /** What is stored: rows that differ stand out. */
  readonly was: Held;
  /** Absent where nobody may change it. */
  readonly onChange?: ((held: Held) => void) | undefined;
}

/** What a role permits: a row per thing, a column per deed; a name or a head gives or takes the whole row or column. */
export function RoleMatrix({ label, names, held, was, onChange }: MatrixProps) {
  const has = (name: string, letter: Letter): boolean => held[name]?.includes(letter) === true;
  const set = (changed: readonly string[], which: readonly Letter[], isGiven: boolean): void =>
    onChange?.({
      ...held,
      ...Object.fromEntries(
        changed.map((name) => [
          name,
          letters
            .map(([letter]) => letter)
            .filter((letter) => (which.includes(letter) ? isGiven : has(name, letter))),
        ]),
      ),
    });
  const all = letters.map(([letter]) => letter);
  return (
    <div className={styles['scroll']} tabIndex={0} role="region" aria-label={`${label}, table`}>
      <table className={styles['matrix']} aria-label={label}>
        <thead>
          <tr>
            <th scope="col">On</th>
            {letters.map(([letter, word]) => (
              <th key={letter} scope="col">
                <Whole
                  name={word}
                  title={`${word} on all, or on none`}
                  onClick={
                    onChange && (() => set(names, [letter], !names.every((name) => has(name, letter))))
                  }
                />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name} className={isSame(held[name], was[name]) ? undefined : styles['changed']}>
              <th scope="row">
                <Whole
                  name={spoken(name)}
                  title="All of it, or none"
                  onClick={onChange && (() => set([name], all, !all.every((letter) => has(name, letter))))}
                />
              </th>
              {letters.map(([letter, word]) => (
                <td key={letter}>
                  <Cell
                    name={`${word}: ${spoken(name)}`}
                    isHeld={has(name, letter)}
                    onChange={onChange && ((isGiven) => set([name], [letter], isGiven))}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A name that gives or takes all that stands behind or below it, where it can be changed. */
function Whole({
  name,
  title,
  onClick,
}: {
  readonly name: string;
  readonly title: string;
  readonly onClick: (() => void) | undefined;
}) {
  if (onClick === undefined) return name;
  return (
    <button type="button" className={styles['all']} title={title} onClick={onClick}>
      {name}
    </button>
  );
}

function Cell({
  name,
  isHeld,
  onChange,
}: {
  readonly name: string;
  readonly isHeld: boolean;
  readonly onChange: ((isHeld: boolean) => void) | undefined;
}) {
  if (onChange === undefined)
    return isHeld ? (
      <>
        <Check size={14} aria-hidden />
        <span className="hidden">yes</span>
      </>
    ) : (
      <>
        <span className="quiet" aria-hidden>
          –
        </span>
        <span className="hidden">no</span>
      </>
    );
  return (
    <label>
      <input
        type="checkbox"
        aria-label={name}
        checked={isHeld}
        onChange={({ target: { checked } }) => onChange(checked)}
      />
    </label>
  );
}

const isSame = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((letter) => b.includes(letter));

/** Whether two roles permit the same. */
export function permitSame(a: Held, b: Held): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => isSame(a[name], b[name]));
}
