import type { JoinedPiece } from '../../proto/expression/template.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory } from './policy.ts';

/** A parameter as it stands in the query. */
interface Parameter {
  readonly name: string;
  readonly raw: string;
}

/** Clears, sets and removes parameters of the query; those that nobody names stay as they were sent, in their places. */
export const transformQueryParams: PolicyFactory<'transform-queryparams'> = (config) => {
  const { clearAll, addQueryParameters: added } = config;
  const removed = new Set(clearAll ? [] : config.removeQueryParameters);
  return {
    request: {
      needs: added.some(({ value }) => value.kind === 'varying' && value.needs === 'buffered')
        ? 'buffered'
        : 'head',
      run(call: PolicyCall) {
        const { request } = call;
        let parameters = clearAll ? [] : parametersOf(request.query);
        if (clearAll) request.query = undefined;
        for (const { name, value, appendToExistingArray } of added) {
          let pieces: readonly JoinedPiece[] | undefined;
          const rendered = value.render(call, (made) => void (pieces = made));
          if (rendered.kind === 'failed')
            call.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${rendered.why}`);
          if (rendered.kind !== 'value') continue;
          const [one, ...brought] = parametersOf(`${written(name)}=${writtenValue(rendered.value, pieces)}`);
          if (one === undefined) continue;
          parameters = appendToExistingArray ? [...parameters, one] : replaced(parameters, one);
          // An own ampersand brings others, which may be removed like those that were sent.
          parameters = [...parameters, ...brought];
        }
        const kept = parameters.filter(({ name }) => !removed.has(name));
        request.query = kept.length === 0 ? undefined : kept.map(({ raw }) => raw).join('&');
        return CONTINUE;
      },
    },
  };
};

function parametersOf(query: string | undefined): readonly Parameter[] {
  if (query === undefined || query === '') return [];
  return query.split('&').map((raw) => ({ name: new URLSearchParams(raw).keys().next().value ?? '', raw }));
}

/** It takes the place of the first of its name. */
function replaced(parameters: readonly Parameter[], one: Parameter): readonly Parameter[] {
  const at = parameters.findIndex(({ name }) => name === one.name);
  if (at === -1) return [...parameters, one];
  return parameters.flatMap((each, index) => (index === at ? [one] : each.name === one.name ? [] : [each]));
}

/** The definition may write parameters into a value; what a request brings is one value, or it would set those that the step clears or removes. */
function writtenValue(text: string, pieces: readonly JoinedPiece[] = [{ text, isOwn: true }]): string {
  return pieces
    .map((piece) => (piece.isOwn ? written(piece.text) : written(piece.text).replaceAll('&', '%26')))
    .join('');
}

/** What may stand in a query stays as it is (RFC 3986 section 3.4), everything else is escaped: no value ends the request's line. */
function written(text: string): string {
  return text.toWellFormed().replaceAll(/[^\w!$%&'()*+,\-./:;=?@[\]~]/gu, encodeURIComponent);
}
