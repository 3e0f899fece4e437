import styles from './checks.module.css';

/** One of what can be chosen. */
export interface CheckChoice {
  readonly id: string;
  readonly name: string;
  /** What it means, below its name. */
  readonly about?: string | undefined;
  readonly isCode?: boolean;
}

/** Any number of a known few; where there are many, the list moves within its frame. */
export function ChecksField({
  label,
  choices,
  chosen,
  onChange,
  isDisabled = false,
}: {
  readonly label: string;
  readonly choices: readonly CheckChoice[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
  readonly isDisabled?: boolean;
}) {
  const toggle = (id: string): void =>
    onChange(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  return (
    <fieldset className={styles['checks']} disabled={isDisabled}>
      <legend>{label}</legend>
      {choices.length === 0 ? (
        <p className={styles['none']}>There is none to choose.</p>
      ) : (
        <div className={styles['list']}>
          {choices.map(({ id, name, about, isCode = false }) => (
            <label key={id}>
              <input
                type="checkbox"
                className={styles['check']}
                checked={chosen.includes(id)}
                onChange={() => toggle(id)}
              />
              <span className={isCode ? 'mono' : undefined}>
                {name}
                {about !== undefined && about !== '' && <small>{about}</small>}
              </span>
            </label>
          ))}
        </div>
      )}
    </fieldset>
  );
}
