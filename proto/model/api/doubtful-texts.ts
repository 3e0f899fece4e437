import { compileText } from '../../expression/template.ts';
import type { FlowDefinition } from '../api-flows.ts';
import type { ApiDefinition } from '../api-schema.ts';
import { flowListsOf, type PlacedStep, stepsInFlows } from './steps.ts';

/** An expression that can be read and will fail, or come to nothing, for every request; the message completes a sentence that begins with the path. */
interface DoubtfulText {
  readonly path: string;
  readonly message: string;
}

/** Says what is wrong with a text, if anything. */
type Doubt = (text: string, isOfAnswer: boolean) => string | undefined;

/**
 * Texts of flows that read what is not there when they are worked out: an answer on the way in, properties of an API that has none,
 * endpoints that nobody is called. What is disabled is not looked at.
 */
export function doubtfulTexts(api: ApiDefinition): readonly DoubtfulText[] {
  const doubts: readonly Doubt[] = [beforeAnswer, ofProperties(api), ofEndpoints(api)];
  const doubtOf: Doubt = (text, isOfAnswer) => {
    if (!text.includes('#')) return undefined;
    for (const doubt of doubts) {
      const message = doubt(text, isOfAnswer);
      if (message !== undefined) return message;
    }
    return undefined;
  };
  return flowListsOf(api).flatMap(({ flows, at }) => inFlows(flows, at, doubtOf));
}

function inFlows(flows: readonly FlowDefinition[], at: string, doubtOf: Doubt): readonly DoubtfulText[] {
  return [
    ...selectorsIn(flows, at, doubtOf),
    ...stepsInFlows(flows, at).flatMap((placed) => inStep(placed, doubtOf)),
  ];
}

const selectorsIn = (flows: readonly FlowDefinition[], at: string, doubtOf: Doubt): readonly DoubtfulText[] =>
  flows.flatMap(({ enabled, selectors }, f) =>
    selectors.flatMap((selector, s) =>
      enabled && selector.type === 'condition'
        ? inText(selector.condition, `${at}[${f}].selectors[${s}].condition`, (text) => doubtOf(text, false))
        : [],
    ),
  );

type DoubtOf = (text: string) => string | undefined;

function inStep({ step, phase, path }: PlacedStep, doubt: Doubt): readonly DoubtfulText[] {
  const doubtOf: DoubtOf = (text) => doubt(text, phase === 'response');
  return [
    ...inText(step.condition, `${path}.condition`, doubtOf),
    ...inValue(step.configuration, `${path}.configuration`, doubtOf),
  ];
}

function inValue(value: unknown, at: string, doubtOf: DoubtOf): readonly DoubtfulText[] {
  if (typeof value === 'string') return inText(value, at, doubtOf);
  if (Array.isArray(value)) return value.flatMap((item, index) => inValue(item, `${at}[${index}]`, doubtOf));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => inValue(item, `${at}.${name}`, doubtOf));
}

function inText(text: string, path: string, doubtOf: DoubtOf): readonly DoubtfulText[] {
  const message = doubtOf(text);
  return message === undefined ? [] : [{ path, message }];
}

/** Read as an expression, so that what only looks like a name is none. What asks whether it is there at all knows. */
function reads(text: string, root: string): boolean {
  if (!text.includes(`#${root}`)) return false;
  if (new RegExp(`#${root}\\s*(?:\\?\\.|[!=]=|\\?:|\\b(?:eq|ne)\\b)`, 'i').test(text)) return false;
  const compiled = compileText(text);
  return compiled.kind === 'varying' && compiled.reads.roots.has(root);
}

const beforeAnswer: Doubt = (text, isOfAnswer) =>
  !isOfAnswer && reads(text, 'response')
    ? 'reads #response, and there is none before the backend has answered: it fails for every request'
    : undefined;

function ofProperties({ properties, services }: ApiDefinition): Doubt {
  if (properties.length > 0 || services?.dynamicProperty !== undefined) return () => undefined;
  return (text) =>
    reads(text, 'properties') || (/#api\s*\??\.\s*properties/.test(text) && reads(text, 'api'))
      ? 'reads properties, of which the API has none: it fails for every request'
      : undefined;
}

/** Names that are put together are known to nobody before a request. */
const namedEndpoints = /#endpoints(?:\[\s*'([^']*)'\s*\]|\.([A-Za-z_]\w*))/g;

function ofEndpoints({ endpointGroups }: ApiDefinition): Doubt {
  const isFound = endpointGroups.some(({ services }) => services?.discovery !== undefined);
  const names = new Set(
    endpointGroups.flatMap(({ name, endpoints }) => [name, ...endpoints.map((one) => one.name)]),
  );
  return (text) => {
    if (isFound || !reads(text, 'endpoints')) return undefined;
    for (const [, quoted, plain] of text.matchAll(namedEndpoints)) {
      const name = quoted ?? plain ?? '';
      if (!names.has(name))
        return `names the endpoint "${name}", which the API does not have; there are: ${[...names].join(', ')}`;
    }
    return undefined;
  };
}
