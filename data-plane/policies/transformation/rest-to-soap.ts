import { needsOf } from '../../../proto/expression/template.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory } from '../policy.ts';
import { sayReplaced } from './replaced.ts';

/** Makes a SOAP request of any request: its envelope is the body. */
export const restToSoap: PolicyFactory<'rest-to-soap'> = (config, { refuse }) => {
  const { envelope, soapAction, charset, preserveQueryParams, stripPath } = config;
  const broken = refuse('REST_TO_SOAP_FAILURE');
  const contentType = charset === '' ? 'text/xml' : `text/xml; charset=${charset}`;
  return {
    request: {
      needs: needsOf([envelope]),
      run(call: PolicyCall) {
        const made = envelope.render(call);
        if (made.kind !== 'value') {
          const why = made.kind === 'failed' ? made.why : 'the envelope comes to nothing';
          call.warn('REST_TO_SOAP_FAILURE', why);
          return broken;
        }
        const { request } = call;
        request.content = Buffer.from(made.value);
        request.method = 'POST';
        request.headers.delete('content-encoding');
        sayReplaced(request);
        request.headers.set('Content-Type', contentType);
        if (soapAction !== '') request.headers.set('SOAPAction', soapAction);
        if (!preserveQueryParams) {
          call.attributes.set('rest-to-soap.query-parameters', parametersOf(request.query));
          request.query = undefined;
        }
        if (stripPath) request.pathInfo = '';
        return CONTINUE;
      },
    },
  };
};

/** Values of a query by their names, as steps behind read them. */
function parametersOf(query = ''): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const others = values.get(name);
    if (others === undefined) values.set(name, [value]);
    else others.push(value);
  }
  return values;
}
