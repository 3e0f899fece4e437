import { Eye, EyeOff, RotateCcw, X } from 'lucide-react';
import { useState } from 'react';
import { IconButton } from '../button.tsx';
import { ExpressionField } from '../expression/expression-field.tsx';
import { AreaField, SelectField, SwitchField, TextField } from '../field.tsx';
import { type FormPlace, useFault } from './context.ts';
import { helpOf } from './help.tsx';
import { isText, type JsonSchema, textWritten, type Widget, valueWords } from './shape.ts';
import { isMask, mask } from '../mask.ts';

export function TextLikeField({
  widget: { look, isExpression },
  ...place
}: FormPlace & { readonly widget: Extract<Widget, { kind: 'text' }> }) {
  const { label, schema, value, isRequired, path, onChange } = place;
  const common = {
    label,
    error: useFault(path),
    hint: helpOf(schema.description),
    isOptional: !isRequired,
    value: isText(value) ? value : '',
    placeholder: defaultWords(schema),
  };
  const write = (text: string): void => onChange(textWritten(place, text));
  if (isExpression)
    return <ExpressionField {...common} kind="TEMPLATE" hasLines={look === 'lines'} onWrite={write} />;
  const onWritten = ({ target }: { readonly target: { readonly value: string } }): void =>
    write(target.value);
  return look === 'lines' ? (
    <AreaField {...common} onChange={onWritten} />
  ) : (
    <TextField {...common} onChange={onWritten} />
  );
}

export function NumberField({ isWhole, ...place }: FormPlace & { readonly isWhole: boolean }) {
  const { label, schema, value, isRequired, path, onChange } = place;
  const numberOf = (text: string): number | undefined => {
    const number = Number(text);
    const isNumber = text.trim() !== '' && Number.isFinite(number) && (!isWhole || Number.isInteger(number));
    return isNumber ? number : undefined;
  };
  // What is typed stays as it is while it is that number (`0.` on the way to `0.5`), or none yet (a minus alone).
  const [typed, setTyped] = useState('');
  const fault = useFault(path);
  const written = typeof value === 'number' ? String(value) : '';
  const isNone = typed.trim() !== '' && numberOf(typed) === undefined;
  const shown = isNone || numberOf(typed) === value ? typed : written;
  return (
    <TextField
      label={label}
      error={isNone ? `must be a ${isWhole ? 'whole number' : 'number'}` : fault}
      hint={helpOf(hintOf(schema))}
      isOptional={!isRequired && schema.default === undefined}
      after={schema.unit !== undefined && <span className="quiet">{schema.unit}</span>}
      inputMode={isWhole ? 'numeric' : 'decimal'}
      value={shown}
      placeholder={defaultWords(schema)}
      onChange={({ target: { value: text } }) => {
        setTyped(text);
        const number = numberOf(text);
        if (number !== undefined || text.trim() === '') onChange(number);
      }}
    />
  );
}

export function ToggleField({ label, schema, value, path, onChange }: FormPlace) {
  const error = useFault(path);
  return (
    <SwitchField
      label={label}
      error={error}
      hint={helpOf(schema.description)}
      isOn={(value ?? schema.default) === true}
      onChange={onChange}
    />
  );
}

export function ChoiceField({ options, ...place }: FormPlace & { readonly options: readonly string[] }) {
  const { label, schema, value, isRequired, path, onChange } = place;
  const preset = isText(schema.default) ? `${valueWords(schema, schema.default)} (by default)` : 'not set';
  return (
    <SelectField
      label={label}
      error={useFault(path)}
      hint={helpOf(schema.description)}
      isOptional={!isRequired && schema.default === undefined}
      value={isText(value) ? value : ''}
      onChange={({ target: { value: chosen } }) => onChange(chosen === '' ? undefined : chosen)}
      options={[
        ...(isRequired && isText(value) ? [] : [['', preset] as const]),
        // Where an empty text is one of them, it is what stands there by default.
        ...options.filter(Boolean).map((option) => [option, valueWords(schema, option)] as const),
      ]}
    />
  );
}

/** A secret: what is kept is never shown, and stays until another is written. */
export function SecretField({ isExpression, ...place }: FormPlace & { readonly isExpression: boolean }) {
  const { label, schema, value, isRequired, path, onChange } = place;
  const [isShown, setShown] = useState(false);
  const [hadMask] = useState(isMask(value) ? value : undefined);
  const isKept = isMask(value);
  const write = (text: string): void => onChange(textWritten(place, text));
  const common = {
    label,
    error: useFault(path),
    hint: isKept ? 'Kept as it is; type to replace it' : helpOf(schema.description),
    isOptional: !isRequired,
    mark: 'secret',
    type: isShown ? ('text' as const) : ('password' as const),
    value: isText(value) && !isKept ? value : '',
    placeholder: isKept ? mask : '',
    after: (
      <>
        {hadMask !== undefined && !isKept && (
          <IconButton label={`Keep ${label} as it was`} onClick={() => onChange(hadMask)}>
            <RotateCcw size={14} aria-hidden />
          </IconButton>
        )}
        {!isKept && (
          <IconButton label={`${isShown ? 'Hide' : 'Show'} ${label}`} onClick={() => setShown(!isShown)}>
            {isShown ? <EyeOff size={14} aria-hidden /> : <Eye size={14} aria-hidden />}
          </IconButton>
        )}
      </>
    ),
  };
  if (isExpression) return <ExpressionField {...common} kind="TEMPLATE" onWrite={write} />;
  return <TextField {...common} autoComplete="off" onChange={({ target }) => write(target.value)} />;
}

/** Anything as JSON: what no other widget shows. What is no JSON yet stays as it is typed, and is not written. */
export function JsonField({ label, schema, value, path, isRequired, onChange }: FormPlace) {
  const [typed, setTyped] = useState<string>();
  const fault = useFault(path);
  return (
    <>
      <AreaField
        label={label}
        mark="JSON"
        hint={helpOf(schema.description)}
        rows={3}
        error={typed === undefined ? fault : 'is no JSON yet'}
        value={typed ?? (value === undefined ? '' : JSON.stringify(value, null, 2))}
        onChange={({ target: { value: text } }) => {
          const parsed = parsedOf(text);
          setTyped(parsed === undefined && text !== '' ? text : undefined);
          if (parsed !== undefined) onChange(parsed.value);
          if (text === '') onChange(undefined);
        }}
      />
      {!isRequired && value !== undefined && (
        <div>
          <IconButton label={`Remove ${label}`} onClick={() => onChange(undefined)}>
            <X size={14} aria-hidden />
          </IconButton>
        </div>
      )}
    </>
  );
}

function parsedOf(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

const defaultWords = ({ default: value }: JsonSchema): string | undefined =>
  (isText(value) && value !== '') || typeof value === 'number' ? String(value) : undefined;

/** What helps, and between which bounds a number lies. */
const hintOf = (schema: JsonSchema): string | undefined =>
  [schema.description?.replace(/\.$/, ''), boundsWords(schema)].filter(Boolean).join(' · ') || undefined;

function boundsWords({ minimum, maximum }: JsonSchema): string | undefined {
  const figure = new Intl.NumberFormat('en');
  if (minimum !== undefined && maximum !== undefined)
    return `${figure.format(minimum)} to ${figure.format(maximum)}`;
  if (maximum !== undefined) return `at most ${figure.format(maximum)}`;
  return minimum === undefined || minimum === 0 ? undefined : `at least ${figure.format(minimum)}`;
}
