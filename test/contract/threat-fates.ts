import { all, type FieldFate, idle, observed } from './field-fate.ts';

const validation = 'data-plane/policies/validation';
const threats = 'data-plane/policies/threats';

/** Fields of the policies of the families `threats/` and `validation/`; see `definition-fields.ts`. */
export const threatFates: readonly (readonly [string, FieldFate])[] = [
  ...all(
    'json-threat-protection.',
    'maxEntries maxArraySize maxDepth maxNameLength maxValueLength preventDuplicateKey enforceJson',
    observed(`${threats}/json-threat-protection.test.ts`),
  ),
  ...all(
    'regex-threat-protection.',
    'regex caseSensitive fullMatching checkHeaders checkPath checkBody',
    observed(`${threats}/regex-threat-protection.test.ts`),
  ),
  ...all(
    'xml-threat-protection.',
    'maxElements maxDepth maxLength maxAttributesPerElement maxAttributeValueLength maxChildrenPerElement maxTextValueLength maxEntities maxEntityDepth allowExternalEntities',
    observed(`${threats}/xml-threat-protection.test.ts`),
  ),
  ...all('request-content-limit.', 'limit', observed(`${threats}/request-content-limit.test.ts`)),
  ['json-validation.scope', idle('of version 2: where the step stands decides, as in the reference')],
  ...all('json-validation.', 'validateUnchecked deepCheck', idle('of the library of the reference')),
  ...all(
    'json-validation.',
    'errorMessage schema schemaSource.sourceType schemaSource.staticSchema straightRespondMode returnDetailedErrorReport nativeErrorHandling',
    observed(`${validation}/json-validation.test.ts`),
  ),
  ...all(
    'oas-validation.',
    'resourceName sourceJson sourceYaml sourceUrl basePath validationOptions.logInsteadOfThrowError validationOptions.returnDetailedErrorReport validationOptions.strictOperationPathMatching validationOptions.validateRequestBody validationOptions.validateRequestContentType validationOptions.validateRequestParameters validationOptions.validateRequestParametersOptions[] validationOptions.validateRequestPathAndMethod validationOptions.validateRequestQueryParamsUnexpected validationOptions.validateRequestSecurity validationOptions.validateResponseBody validationOptions.validateResponseContentType validationOptions.validateResponseStatusCode',
    observed(`${validation}/oas-validation.test.ts`),
  ),
  ['resources/content-provider-inline-resource.content', observed(`${validation}/oas-validation.test.ts`)],
  ...all(
    'resources/content-provider-inline-resource.',
    'attributes[].key attributes[].value',
    idle('for whoever wrote them; no step reads them'),
  ),
  ...all('xml-validation.', 'errorMessage xsdSchema', observed(`${validation}/xml-validation.test.ts`)),
  ['policy-request-validation.scope', idle('what the expressions read decides what is read')],
  ...all(
    'policy-request-validation.',
    'status rules[].input rules[].isRequired rules[].constraint.type rules[].constraint.parameters[] rules[].constraint.message',
    observed(`${validation}/policy-request-validation.test.ts`),
  ),
];
