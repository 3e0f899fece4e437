import {
  decodeApi,
  decodeOrganizationFlows,
  decodeSharedPolicyGroup,
  encodeApi,
  encodeOrganizationFlows,
  encodeSharedPolicyGroup,
} from './payloads.ts';
import type { RecordKind } from './published.ts';

/** A payload whose definition is a text of JSON. */
interface Held {
  readonly definition: string;
  with(definition: string): Uint8Array;
}

/** The definition in a payload; undefined for kinds that have none. Errors: wire.malformed, wire.too_large. */
export function definitionIn({
  kind,
  payload,
}: {
  readonly kind: RecordKind;
  readonly payload: Uint8Array;
}): Held | undefined {
  switch (kind) {
    case 'api': {
      const api = decodeApi(payload);
      return { definition: api.definition, with: (definition) => encodeApi({ ...api, definition }) };
    }
    case 'shared-policy-group': {
      const group = decodeSharedPolicyGroup(payload);
      return {
        definition: group.definition,
        with: (definition) => encodeSharedPolicyGroup({ ...group, definition }),
      };
    }
    case 'organization-flows': {
      const flows = decodeOrganizationFlows(payload);
      return {
        definition: flows.definition,
        with: (definition) => encodeOrganizationFlows({ ...flows, definition }),
      };
    }
    case 'gateway-settings':
    case 'environment-key':
    case 'dictionary':
    case 'subscription':
    case 'api-key':
      return undefined;
  }
}
