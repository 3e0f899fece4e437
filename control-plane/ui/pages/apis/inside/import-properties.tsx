import { useState } from 'react';
import { FormDialog } from '../../../kit/dialog.tsx';
import { AreaField, SwitchField } from '../../../kit/field.tsx';
import type { JsonObject } from '../../../kit/schema-form/shape.ts';
import { textOf } from '../draft/sections.ts';
import { importedLines, withImported } from './imported.ts';

/** Many properties at once, one a line, as files of properties have them. */
export function ImportProperties({
  properties,
  onImport,
  onClose,
}: {
  readonly properties: readonly JsonObject[];
  readonly onImport: (properties: readonly JsonObject[]) => void;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState('');
  const [isSecret, setSecret] = useState(false);
  const { found, strange } = importedLines(text);
  const known = new Set(properties.map(({ key }) => textOf(key)));
  const replaced = [...found.keys()].filter((key) => known.has(key)).length;
  const words = `${found.size - replaced} new, ${replaced} replaced`;
  return (
    <FormDialog
      title="Import properties"
      about="One a line: key=value. Lines that are empty or begin with # count for nothing."
      isOpen
      onClose={onClose}
      submit={{
        verb: 'Import properties',
        isReady: found.size > 0 && strange.length === 0,
        mutation: {
          isPending: false,
          error: null,
          mutate: () => {
            onImport(withImported(properties, found, isSecret));
            onClose();
          },
        },
      }}
    >
      <AreaField
        label="Lines"
        rows={10}
        value={text}
        autoFocus
        hint={text === '' ? undefined : words}
        error={strange.length === 0 ? undefined : `no key=value in line ${strange.join(', ')}`}
        onChange={({ target: { value } }) => setText(value)}
      />
      <SwitchField label="They are secrets, and are encrypted" isOn={isSecret} onChange={setSecret} />
    </FormDialog>
  );
}
