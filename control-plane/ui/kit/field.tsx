import { Switch } from '@base-ui/react/switch';
import { Search } from 'lucide-react';
import {
  useEffect,
  useId,
  useState,
  type ChangeEvent,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from 'react';
import styles from './field.module.css';

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  /** What is wrong with it, in words that say what to do. */
  readonly error?: string | undefined;
  readonly isOptional?: boolean;
  /** What kind of text it takes, beside its name. */
  readonly mark?: string | undefined;
}

interface Framed extends FieldProps {
  readonly isLarge?: boolean | undefined;
  readonly before?: ReactNode;
  readonly after?: ReactNode;
  readonly children: (ids: {
    readonly id: string;
    readonly 'aria-describedby': string | undefined;
  }) => ReactNode;
}

function Frame({ label, hint, error, isOptional, mark, isLarge, before, after, children }: Framed) {
  const id = useId();
  const told = error ?? hint;
  return (
    <div className={styles['field']}>
      <div className={styles['label']}>
        <label htmlFor={id}>{label}</label>
        {isOptional === true && <span className={styles['optional']}>optional</span>}
        {mark !== undefined && <span className={styles['mark']}>{mark}</span>}
      </div>
      <div
        className={styles['box']}
        data-large={isLarge || undefined}
        data-invalid={error !== undefined || undefined}
      >
        {before}
        {children({ id, 'aria-describedby': told === undefined ? undefined : `${id}-told` })}
        {after}
      </div>
      {told !== undefined && (
        <span id={`${id}-told`} className={error === undefined ? styles['hint'] : styles['error']}>
          {told}
        </span>
      )}
    </div>
  );
}

/** A line of text with its name above it, and beneath it what helps or what is wrong. */
export function TextField({
  label,
  hint,
  error,
  isOptional = false,
  mark,
  isLarge,
  before,
  after,
  ...input
}: FieldProps &
  InputHTMLAttributes<HTMLInputElement> & {
    readonly isLarge?: boolean;
    readonly before?: ReactNode;
    readonly after?: ReactNode;
  }) {
  return (
    <Frame {...{ label, hint, error, isOptional, mark, isLarge, before, after }}>
      {(ids) => <input {...input} {...ids} aria-invalid={error !== undefined || undefined} />}
    </Frame>
  );
}

/** A text of several lines; code, unless it is prose. */
export function AreaField({
  label,
  hint,
  error,
  isOptional = false,
  mark,
  isProse = false,
  ...area
}: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement> & { readonly isProse?: boolean }) {
  return (
    <Frame {...{ label, hint, error, isOptional, mark }}>
      {(ids) => (
        <textarea
          rows={6}
          spellCheck={isProse}
          {...area}
          {...ids}
          className={isProse ? undefined : 'mono'}
          aria-invalid={error !== undefined || undefined}
        />
      )}
    </Frame>
  );
}

/** Something that is on or off. */
export function SwitchField({
  label,
  hint,
  error,
  isOn,
  onChange,
}: FieldProps & { readonly isOn: boolean; readonly onChange: (isOn: boolean) => void }) {
  const id = useId();
  const told = error ?? hint;
  return (
    <div className={styles['field']}>
      <label className={styles['switched']} id={`${id}-label`}>
        <Switch.Root
          className={styles['switch']}
          checked={isOn}
          onCheckedChange={onChange}
          aria-labelledby={`${id}-label`}
          aria-describedby={told === undefined ? undefined : `${id}-told`}
        >
          <Switch.Thumb className={styles['thumb']} />
        </Switch.Root>
        {label}
      </label>
      {told !== undefined && (
        <span id={`${id}-told`} className={error === undefined ? styles['hint'] : styles['error']}>
          {told}
        </span>
      )}
    </div>
  );
}

/** One of a few. */
export function SelectField<Value extends string>({
  label,
  hint,
  error,
  isOptional = false,
  options,
  onChoose,
  ...select
}: FieldProps &
  SelectHTMLAttributes<HTMLSelectElement> & {
    readonly options: readonly (readonly [value: Value, label: string])[];
    /** Where only some values can be chosen: gets one of them, in place of `onChange`. */
    readonly onChoose?: (value: Value) => void;
  }) {
  const choose = ({ target }: ChangeEvent<HTMLSelectElement>): void => {
    const chosen = options.find(([value]) => value === target.value)?.[0];
    if (chosen !== undefined) onChoose?.(chosen);
  };
  return (
    <Frame {...{ label, hint, error, isOptional }}>
      {(ids) => (
        <select {...select} {...(onChoose !== undefined && { onChange: choose })} {...ids}>
          {options.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Frame>
  );
}

const typedMs = 250;

/** The line above a list that narrows it, a moment after somebody has stopped typing. */
export function FilterBox({
  label,
  value = '',
  onChange,
  autoFocus = false,
}: {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string) => void;
  /** Whoever came here came to type. */
  readonly autoFocus?: boolean;
}) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(() => onChange(typed), typedMs);
    return () => clearTimeout(timer);
  });
  return (
    <div className={styles['box']}>
      <Search size={14} aria-hidden />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        maxLength={256}
        autoFocus={autoFocus}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}
