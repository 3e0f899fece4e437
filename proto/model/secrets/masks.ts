import type { FaultDetail } from '../../faults/fault.ts';
import { isMask, mask } from '../../trust/sealed-text.ts';
import { type SecretFields, secretFields } from './fields.ts';
import { mapSecrets } from './places.ts';

/** A fault for each secret that is only its mask, as exports show it: whoever runs the definition would take it for the secret itself. */
export function maskFaults(definition: unknown, fields: SecretFields = secretFields): readonly FaultDetail[] {
  const faults: FaultDetail[] = [];
  mapSecrets(
    definition,
    (value, { path, isSecret }) => {
      if (isSecret && isMask(value))
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
