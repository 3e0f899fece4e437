import type { ResourceSchema } from '../../resources/resource-schema.ts';
import { type FormSchema, formSchema } from '../form-schema.ts';
import type { PolicySchema } from '../policy-schema.ts';
import { resourceWordsFor, wordsFor } from './words/words.ts';

/** What the configuration of a policy looks like, with a sentence for each field: its form, its page and `isthmus policies --json` say the same. */
export const policyForm = ({ id, config }: Pick<PolicySchema, 'id' | 'config'>): FormSchema =>
  described(formSchema(config), '', (path) => wordsFor(id, path));

/** The same of a resource. */
export const resourceForm = ({ id, config }: Pick<ResourceSchema, 'id' | 'config'>): FormSchema =>
  described(formSchema(config), '', (path) => resourceWordsFor(id, path));

type WordsAt = (path: string) => string | undefined;

/** A schema whose fields say what they are for; what one says of itself stays. */
function described(schema: FormSchema, at: string, wordsAt: WordsAt): FormSchema {
  const { properties, items, additionalProperties: each, anyOf, oneOf } = schema;
  const branches = (several: readonly FormSchema[]) => several.map((one) => described(one, at, wordsAt));
  return {
    ...schema,
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, field]) => [
          name,
          withWords(field, at === '' ? name : `${at}.${name}`, wordsAt),
        ]),
      ),
    }),
    ...(items !== undefined && { items: described(items, `${at}[]`, wordsAt) }),
    ...(typeof each === 'object' && { additionalProperties: described(each, `${at}.*`, wordsAt) }),
    ...(anyOf !== undefined && { anyOf: branches(anyOf) }),
    ...(oneOf !== undefined && { oneOf: branches(oneOf) }),
  };
}

function withWords(field: FormSchema, at: string, wordsAt: WordsAt): FormSchema {
  const whole = described(field, at, wordsAt);
  if (field.description !== undefined || field.isElsewhere === true) return whole;
  if (field.isWithoutEffect === true)
    return { ...whole, description: 'Of older definitions; it changes nothing.' };
  if (Object.keys(field.properties ?? {}).length > 0) return whole;
  // Of several shapes a form asks which first, and that is what their `type` says.
  const description = (hasFields(field) ? wordsAt(`${at}.type`) : undefined) ?? wordsAt(at);
  return description === undefined ? whole : { ...whole, description };
}

const hasFields = ({ anyOf, oneOf }: FormSchema): boolean =>
  (anyOf ?? oneOf ?? []).some(({ properties }) => properties !== undefined);
