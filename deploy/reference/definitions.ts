import { secretWords } from '../../proto/model/secrets/names.ts';
import { sharedPolicyGroupSchema } from '../../proto/model/api/shared-policy-group.ts';
import { apiSchema } from '../../proto/model/api-schema.ts';
import { type Chapter, chapters } from './definition-chapters.ts';
import { type FieldRow, fieldRows, tableOf } from '../../proto/policies/reference/fields.ts';

const introduction = `# Definitions

Generated from the schemas in \`proto/model\` by \`npm run generate\`; do not edit.

An API as [files](guides/files.md) and the management API have it. A field that is not listed is refused, with its path and what is allowed
there. Words that stand here in small letters may be written in any spelling (\`HTTP\`, \`http\`; \`ROUND_ROBIN\`, \`round-robin\`), others as they
stand; times are in ms where nothing else is said. What is required is so where the object that holds it stands. A test
loads every example: each is a part of an API in a file of its own, or of the \`isthmus.yaml\` beside it where its first line says so.

What is called secret here, or in the [policies](policies/README.md), the management API keeps sealed and shows as \`********\`; that mask, sent back in the same
field of the same item, keeps it: items of lists are known by an \`id\`, \`name\` or \`key\` of their own, else by all that is no secret in them; where that
does not tell whose mask it is, it is refused by its place. The same holds for what no schema knows, mistyped, refused, or of a plugin that this version does not have, by its name: one
that ends in ${secretWords.map((word) => `\`${word}\``).join(', ')} in any spelling, or nearly does, with all in it; for values of headers so called,
\`Authorization\`, \`Cookie\`, \`X-...-Key\` and whatever else logs mask, in every list of headers, unless they only name where the secret is
(\`Bearer {#properties['token']}\`); and there for texts that are lines of such headers, JSON, YAML or settings with such names. In whatever field, URLs with user information, or
with a parameter so called, and private keys in PEM are secrets as a whole.
A draft that somebody is writing shows masks with a tag (\`********.Ab3dE6gH9jKm\`) in the same places: each stands for its own secret, also where it was moved to.
`;

const expressions = 'expressions.md';

/** Every field of a definition and of a shared policy group, by chapters, as Markdown. */
export function definitionReference(): string {
  const rows = fieldRows(apiSchema, { expressions });
  const groups = fieldRows(sharedPolicyGroupSchema, { expressions });
  const index = chapters.map(({ title }) => `[${title}](#${anchorOf(title)})`).join(' · ');
  const sections = chapters.map((chapter) =>
    sectionOf(chapter, chapter.at === 'sharedPolicyGroups[]' ? groups : rowsIn(rows, chapter.at)),
  );
  return [introduction, `${index}\n`, ...sections].join('\n');
}

const anchorOf = (title: string): string => title.toLowerCase().replaceAll(' ', '-');

function sectionOf({ title, at, text, examples }: Chapter, rows: readonly FieldRow[]): string {
  return [
    `## ${title}\n\n${at === undefined || at === '' ? '' : `\`${at}\`. `}${text}\n`,
    ...(rows.length === 0 ? [] : [tableOf(rows)]),
    ...examples.map((example) => `\`\`\`yaml\n${example.trim()}\n\`\`\`\n`),
  ].join('\n');
}

/** What stands in one place and in no chapter of its own below it, named from there. */
function rowsIn(rows: readonly FieldRow[], at: string | undefined): readonly FieldRow[] {
  if (at === undefined) return [];
  const inside = (place: string, path: string): boolean => place === '' || path.startsWith(`${place}.`);
  return rows
    .filter(
      ({ path }) =>
        inside(at, path) &&
        ![...places, ...saidElsewhere].some(
          (other) => other !== at && inside(at, other) && inside(other, path),
        ),
    )
    .map((row) => (at === '' ? row : { ...row, path: row.path.slice(at.length + 1) }));
}

const places = chapters.flatMap(({ at }) => at ?? []);

/** Places that have the fields of another chapter; the text beside them says so. */
const saidElsewhere = [
  'endpointGroups[].endpoints[].sharedConfigurationOverride',
  'endpointGroups[].endpoints[].services.healthCheck',
  'plans[].flows[]',
];
