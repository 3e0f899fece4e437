import type { FaultDetail } from '../../faults/fault.ts';
import { isMask, mask } from '../../trust/sealed-text.ts';
import { type SecretFields, secretFields } from './fields.ts';
import { mapSecrets } from './places.ts';

/**
 * A fault for each text that is only the mask of a secret, as exports show it: whoever runs the definition would take it for the secret itself. What
 * the fields beside it say to be none (`encrypted: false`, which somebody took out) was one all the same.
 */
export function maskFaults(definition: unknown, fields: SecretFields = secretFields): readonly FaultDetail[] {
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
