import styles from './segments.module.css';

/** Two or three views of one thing, of which one is shown. */
export function Segments<Id extends string>({
  label,
  segments,
  value,
  onChoose,
}: {
  readonly label: string;
  readonly segments: readonly (readonly [id: Id, name: string])[];
  readonly value: Id;
  readonly onChoose: (id: Id) => void;
}) {
  return (
    <div className={styles['segments']} role="group" aria-label={label}>
      {segments.map(([id, name]) => (
        <button key={id} type="button" aria-pressed={id === value} onClick={() => onChoose(id)}>
          {name}
        </button>
      ))}
    </div>
  );
}
