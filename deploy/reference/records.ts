import { recordTables, type RecordTable } from '../../proto/model/record-tables.ts';
import { cell } from '../../proto/policies/reference/fields.ts';
import type { Meaning, RecordField } from '../../proto/model/record-fields.ts';

const introduction = `# Records

Generated from the fields in \`proto/model\` by \`npm run generate\`; do not edit.

A line of a spool or of an object of the landing folder is one JSON object; its \`type\` says which table of the lake it belongs to. Fields are
only added, never renamed; one that is absent is null. Names end in their unit (\`_us\`, \`_ms\`, \`_bytes\`); a \`timestamp\` is in ms since 1970, and headers
of log lines are JSON lists of \`[name, value]\`.
`;

/** Every field of every kind of record, as Markdown. */
export function recordReference(): string {
  return [
    introduction,
    ...Object.entries<RecordTable>(recordTables).map(([name, { type, fields }]) => {
      const rows = Object.entries<RecordField>(fields).map(
        ([field, { column, meaning }]) =>
          `| \`${field}\` | ${column ?? 'none: in the line alone'} | ${meaning === undefined ? '' : cell(valuesOf(meaning))} |\n`,
      );
      return `## ${name}\n\nLines of type \`${type}\`.\n\n| field | column | values in the lake |\n|---|---|---|\n${rows.join('')}`;
    }),
  ].join('\n');
}

function valuesOf(meaning: Meaning): string {
  const quoted = (value: string): string => `\`${value === '' ? '""' : value}\``;
  switch (meaning.kind) {
    case 'among':
      return `${meaning.values.map(quoted).join(', ')}; anything else becomes ${quoted(meaning.otherwise)}`;
    case 'pattern':
      return `what \`${meaning.pattern}\` matches; anything else ${meaning.otherwise === undefined ? 'is left out' : `becomes ${quoted(meaning.otherwise)}`}`;
    case 'list':
      return `a JSON object of at most ${meaning.bytesMax} bytes whose \`${meaning.at}\` are a list of at most ${meaning.itemsMax}; anything else is left out`;
    case 'between':
      return meaning.spans.map(([min, max]) => (min === max ? `${min}` : `${min} to ${max}`)).join(', or ');
  }
}
