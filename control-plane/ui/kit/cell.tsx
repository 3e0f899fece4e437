import type { InputHTMLAttributes } from 'react';
import styles from './cell.module.css';

/** A line of text in a row of a list: its name is read out, since the column's head says it to those who see. */
export function Cell({
  label,
  error,
  onChange,
  ...input
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange'> & {
  readonly label: string;
  readonly error?: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  return (
    <>
      <input
        {...input}
        className={`${styles['cell']} mono`}
        aria-label={label}
        aria-invalid={error !== undefined || undefined}
        onChange={({ target: { value } }) => onChange(value)}
      />
      {error !== undefined && <span className={styles['error']}>{error}</span>}
    </>
  );
}
