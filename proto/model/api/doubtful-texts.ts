import { piecesOf } from '../../expression/find.ts';
import { idleComparisons } from '../../expression/known/comparisons.ts';
import { language } from '../../expression/language.ts';
import { compileText, type JoinedPiece } from '../../expression/template.ts';
import { pathGroupNames } from '../../policies/path-pattern.ts';
import type { FlowDefinition } from '../api-flows.ts';
import type { ApiDefinition } from '../api-schema.ts';
import { flowListsOf, type PlacedStep, stepsInFlows, stepsOf } from './steps.ts';
import { judgeOfTargets } from './target.ts';

/** An expression that can be read and will fail, or come to nothing, for every request; the message completes a sentence that begins with the path. */
interface DoubtfulText {
  readonly path: string;
  readonly message: string;
}

/** Says what is wrong with a text, if anything. */
type Doubt = (text: string, isOfAnswer: boolean) => string | undefined;

/**
 * Texts of flows that read what is not there when they are worked out: an answer on the way in, properties of an API that has none,
 * endpoints that nobody is called; comparisons of all values of a header with one; and addresses whose host a request would choose, which leads nowhere unless a gateway's operator says
 * so. What is disabled is not looked at.
 */
export function doubtfulTexts(api: ApiDefinition): readonly DoubtfulText[] {
  const doubts: readonly Doubt[] = [beforeAnswer, ofProperties(api), ofEndpoints(api), allWithOne];
  const doubtOf: Doubt = (text, isOfAnswer) => {
    if (!text.includes('#')) return undefined;
    for (const doubt of doubts) {
      const message = doubt(text, isOfAnswer);
      if (message !== undefined) return message;
    }
    return undefined;
  };
  return [
    ...flowListsOf(api).flatMap(({ flows, at }) => inFlows(flows, at, doubtOf)),
    ...addressesOf(api).flatMap(({ path, text }) => inText(text, path, chosenByRequests)),
  ];
}

/** Fields of policies that hold addresses which the gateway calls. */
const addressFields: ReadonlyMap<string, RegExp> = new Map([
  ['dynamic-routing', /^rules\[\d+\]\.url$/],
  ['policy-http-callout', /^url$/],
  ['traffic-shadowing', /^target$/],
  ['policy-circuit-breaker', /^redirectToURL$/],
  ['metrics-reporter', /^url$/],
  ['ai-prompt-guard-rails', /^classifier\.url$/],
  ['ai-semantic-caching', /^embeddings\.url$/],
]);

function addressesOf(api: ApiDefinition): readonly { readonly path: string; readonly text: string }[] {
  const targets = api.endpointGroups.flatMap(({ endpoints }, g) =>
    endpoints.map(({ configuration }, e) => ({
      path: `endpointGroups[${g}].endpoints[${e}].configuration.target`,
      text: configuration.target,
    })),
  );
  const called = stepsOf(api).flatMap(({ step, path }) => {
    const fields = addressFields.get(step.policy) ?? routedBy(step);
    if (fields === undefined) return [];
    const found: { readonly path: string; readonly text: string }[] = [];
    inValue(step.configuration, '', (text, at) => {
      if (fields.test(at.slice(1))) found.push({ path: `${path}.configuration${at}`, text });
      return undefined;
    });
    return found;
  });
  return [...targets, ...called];
}

/** Attributes that say where a request goes. */
function routedBy({ policy, configuration }: PlacedStep['step']): RegExp | undefined {
  const { attributes } = configuration;
  if (policy !== 'policy-assign-attributes' || !Array.isArray(attributes)) return undefined;
  const routes = attributes.flatMap((one: { readonly name?: unknown } | null, index) =>
    /^(?:gravitee\.attribute\.)?request\.endpoint$/.test(String(one?.name)) ? [index] : [],
  );
  return routes.length === 0 ? undefined : new RegExp(`^attributes\\[(?:${routes.join('|')})\\]\\.value$`);
}

/** What a client may bring where it is asked for no more than a name, a path or a number. */
const broughtHarmless = ['x', '/x', '1'];
/** Places of an address that are tried apart from those behind them. */
const labelsMax = 4;
/** In an address with more than so many nothing is tried apart: it would take long, and nobody writes one. */
const placesMax = 16;
const judge = judgeOfTargets(() => false);
const places: ReadonlySet<string> = new Set(pathGroupNames);

function chosenByRequests(text: string): string | undefined {
  if (!text.includes('{')) return undefined;
  const written = writtenPieces(text);
  const isChosen =
    written[0] === undefined || !broughtTo(written).some((pieces) => judge(pieces) === undefined);
  return isChosen
    ? "lets a request choose the host: it leads to endpoints of the API, and elsewhere only on gateways whose upstream.chosenByRequests names the host; what #properties and #dictionaries say is nobody's choice"
    : undefined;
}

/** An address with what clients may bring to it: one thing everywhere, or one to the first few places, which may be labels of a host, and another to the rest. */
function broughtTo(written: readonly (string | undefined)[]): readonly (readonly JoinedPiece[])[] {
  const places = written.filter((own) => own === undefined).length;
  const withBrought = (first: string, rest: string, firstPlaces: number): readonly JoinedPiece[] => {
    let place = 0;
    return written.map((own): JoinedPiece => {
      if (own !== undefined) return { text: own, isOwn: true };
      place += 1;
      return { text: place <= firstPlaces ? first : rest, isOwn: false };
    });
  };
  return broughtHarmless.flatMap((rest) => [
    withBrought(rest, rest, 0),
    ...broughtHarmless.flatMap((first) =>
      first === rest
        ? []
        : Array.from({ length: places > placesMax ? 0 : Math.min(places - 1, labelsMax) }, (_, split) =>
            withBrought(first, rest, split + 1),
          ),
    ),
  ]);
}

/** The texts of which an address is made, as far as they are the definition's own; undefined where a request brings one. */
function writtenPieces(text: string): readonly (string | undefined)[] {
  return piecesOf(text).flatMap((piece, index) => {
    if (piece.kind === 'text') return [piece.text];
    const compiled = language(piece.source, places);
    if (compiled.kind === 'refused' || compiled.isOwn === true)
      return [index === 0 ? 'http://own.example' : 'own'];
    const [, beginning] = /^\(*\s*'([^']*)'\s*\+/.exec(piece.source) ?? [];
    if (beginning !== undefined) return [beginning, undefined];
    return compiled.beginning === undefined ? [undefined] : ['http://own.example/', undefined];
  });
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

type DoubtOf = (text: string, at: string) => string | undefined;

/** Policies of the request phase whose configuration is worked out of the backend's answer. */
const askedOfAnswers: ReadonlySet<string> = new Set(['retry']);

function inStep({ step, phase, path }: PlacedStep, doubt: Doubt): readonly DoubtfulText[] {
  const isOfAnswer = phase === 'response';
  const asksAnswer = isOfAnswer || askedOfAnswers.has(step.policy);
  return [
    ...inText(step.condition, `${path}.condition`, (text) => doubt(text, isOfAnswer)),
    ...inValue(step.configuration, `${path}.configuration`, (text) => doubt(text, asksAnswer)),
  ];
}

function inValue(value: unknown, at: string, doubtOf: DoubtOf): readonly DoubtfulText[] {
  if (typeof value === 'string') return inText(value, at, doubtOf);
  if (Array.isArray(value)) return value.flatMap((item, index) => inValue(item, `${at}[${index}]`, doubtOf));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => inValue(item, `${at}.${name}`, doubtOf));
}

function inText(text: string, path: string, doubtOf: DoubtOf): readonly DoubtfulText[] {
  const message = doubtOf(text, path);
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

/** Of all comparisons of a text the first is told. */
const allWithOne: Doubt = (text) =>
  piecesOf(text).flatMap((piece) => (piece.kind === 'text' ? [] : idleComparisons(piece.source)))[0]?.message;

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
