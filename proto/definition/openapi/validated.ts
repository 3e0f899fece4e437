import type { FaultDetail } from '../../faults/fault.ts';
import { oasCharsMax, readOas } from '../../policies/validation/oas/oas.ts';
import { isJson, type Json } from '../opened.ts';

/** What the reference calls them. */
const resourceName = 'OpenAPI Specification';
const stepName = 'OpenAPI Specification Validation';
const extension = 'x-graviteeio-definition';

/** What an API needs to hold its messages against the document that it was made of. */
export interface Validation {
  readonly resource: Json;
  /** Of both phases of a flow. */
  readonly step: Json;
  /** For whatever no flow of an operation is for. */
  readonly flow: Json;
}

/** Makes a resource of the document, and steps that read it; faults where `oas-validation` cannot work with it. */
export function validationBy(document: Json, details: FaultDetail[]): Validation | undefined {
  // What OpenAPI has no word for may hold values of properties, and is nobody's business at the gateway.
  const { [extension]: _, info, ...rest } = document;
  const { [extension]: __, ...about } = isJson(info) ? info : {};
  const content = textOf({ ...rest, info: about });
  if (content === undefined || content.length > oasCharsMax) {
    const message = `is longer than ${oasCharsMax} characters as JSON, which is too long for withOASValidationPolicy`;
    details.push({ path: '', message });
    return undefined;
  }
  const read = readOas(content);
  if (read.kind === 'faults') {
    for (const { path, message } of read.faults) details.push({ path: dotted(path), message });
    return undefined;
  }
  const step = { name: stepName, enabled: true, policy: 'oas-validation', configuration: { resourceName } };
  return {
    resource: {
      name: resourceName,
      type: 'content-provider-inline-resource',
      enabled: true,
      configuration: { content },
    },
    step,
    flow: {
      name: stepName,
      enabled: true,
      selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH', methods: [] }],
      request: [step],
      response: [step],
    },
  };
}

/** Undefined for a document of YAML that holds itself. */
function textOf(document: Json): string | undefined {
  try {
    return JSON.stringify(document);
  } catch {
    return undefined;
  }
}

/** A JSON pointer as details of a document have it. */
const dotted = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
