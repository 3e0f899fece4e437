import { useState } from 'react';
import { type CheckChoice, ChecksField } from './checks.tsx';
import { TextField } from './field.tsx';
import styles from './words-field.module.css';

/** Words such as sharding tags: those that are known are ticked, whatever else stands there or is to stand there is typed. */
export function WordsField({
  label,
  others,
  hint,
  known,
  words,
  error,
  isDisabled = false,
  onChange,
}: {
  readonly label: string;
  /** What words that are not among the known are called. */
  readonly others: string;
  readonly hint: string;
  readonly known: readonly CheckChoice[];
  readonly words: readonly string[];
  readonly error?: string | undefined;
  readonly isDisabled?: boolean;
  readonly onChange: (words: readonly string[]) => void;
}) {
  const isKnown = (word: string): boolean => known.some((choice) => choice.id === word);
  // What is typed stays as it is while it stands for what is written: a comma at its end, too.
  const [typed, setTyped] = useState('');
  const unknown = words.filter((word) => !isKnown(word));
  const shown = wordsIn(typed).join() === unknown.join() ? typed : unknown.join(', ');
  return (
    <div className={styles['words']}>
      {known.length > 0 && (
        <>
          <ChecksField
            label={label}
            choices={known}
            chosen={words.filter(isKnown)}
            isDisabled={isDisabled}
            onChange={(chosen) => onChange([...chosen, ...unknown])}
          />
          <p className={styles['hint']}>{hint}</p>
        </>
      )}
      <TextField
        label={known.length > 0 ? others : label}
        hint={known.length > 0 ? 'With commas between them' : `With commas between them. ${hint}`}
        isOptional
        disabled={isDisabled}
        value={shown}
        error={error}
        onChange={({ target: { value } }) => {
          setTyped(value);
          onChange([...words.filter(isKnown), ...wordsIn(value).filter((word) => !isKnown(word))]);
        }}
      />
    </div>
  );
}

const wordsIn = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  ),
];
