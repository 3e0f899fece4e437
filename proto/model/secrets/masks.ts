import type { FaultDetail } from '../../faults/fault.ts';
import { isMask, mask } from '../../trust/sealed-text.ts';
import { type SecretFields, secretFields } from './fields.ts';
import { mapSecrets } from './places.ts';

/**
 * A fault for each text that is only the mask of a secret, as exports show it: whoever runs the definition would take it for the secret itself. What
 * the fields beside it say to be none (`encrypted: false`, which somebody took out) was one all the same.
 */
export function maskFaults(definition: unknown, fields: SecretFields = secretFields): readonly FaultDetail[] {
  // Hardly any definition holds one, and finding where secrets may stand is a third of what reading it takes.
  if (!holdsMask(definition)) return [];
  const faults: FaultDetail[] = [];
  mapSecrets(
    definition,
    (value, { path }) => {
      if (isMask(value))
        faults.push({
          path,
          message: `is ${mask}, the mask that an export shows for a secret; write the secret`,
        });
      return value;
    },
    fields,
  );
  return faults;
}

/** Whether one may stand anywhere in it: in the midst of a text too, since a configuration may be written as JSON in one. */
function holdsMask(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(mask) || value.includes(String.raw`\u`);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsMask);
}
