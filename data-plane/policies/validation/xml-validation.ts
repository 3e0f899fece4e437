import { TransformFailure } from '../../transform/failure.ts';
import { ThreadBusy } from '../../transform/thread/jobs.ts';
import { validateXml } from '../../transform/xsd/xsd.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from '../policy.ts';
import { textOfBody } from '../transformation/rewrite.ts';

/** Refuses bodies that do not fit a schema. */
export const xmlValidation: PolicyFactory<'xml-validation'> = ({ xsdSchema, errorMessage }, { refuse }) => {
  const refuseBy = (call: PolicyCall, why: string): Verdict => {
    call.warn('XML_VALIDATION_FAILED', why);
    const written = errorMessage?.render(call);
    const { message } = refuse('XML_VALIDATION_FAILED');
    const body = written?.kind === 'value' && written.value !== '' ? written.value : message;
    return refuse('XML_VALIDATION_FAILED', { content: { type: 'application/xml', body } });
  };
  const judge = async (call: PolicyCall, xml: Uint8Array | string): Promise<Verdict> => {
    try {
      const why = await validateXml({ schema: xsdSchema, xml }, call.over);
      if (why === undefined) return refuse('XML_VALIDATION_UNAVAILABLE');
      return why === '' ? CONTINUE : refuseBy(call, `the body ${why}`);
    } catch (error) {
      if (!(error instanceof TransformFailure)) throw error;
      if (!(error instanceof ThreadBusy)) return refuseBy(call, error.message);
      call.warn('XML_VALIDATION_UNAVAILABLE', error.message);
      return refuse('XML_VALIDATION_UNAVAILABLE');
    }
  };
  return {
    request: {
      needs: 'buffered',
      run(call) {
        const { content, headers } = call.request;
        if (content === undefined || content.length === 0) return CONTINUE;
        const encoding = headers.get('content-encoding') ?? 'identity';
        if (encoding.toLowerCase() !== 'identity')
          return refuseBy(call, `the body is of Content-Encoding ${encoding}`);
        if (!/;\s*charset\s*=/i.test(headers.get('content-type') ?? '')) return judge(call, content);
        const text = textOfBody(content, headers);
        // It is text by now: whatever encoding its declaration names, it is not the one that is read.
        return text === undefined
          ? refuseBy(call, 'the body is no text in its charset')
          : judge(call, text.replace(/^\uFEFF?(?:<\?xml [^>]*\?>)?/, ''));
      },
    },
  };
};
