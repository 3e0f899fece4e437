import type { Schemas } from '../../../api/client.ts';
import { isMask } from '../../../kit/mask.ts';

export type Flow = Schemas['FlowV4'];
export type Step = Schemas['StepV4'];

/** The way to the backend, and the way back. */
export const lanes = ['request', 'response'] as const;
export type Lane = (typeof lanes)[number];

/** Whose flows: of the API, which run for all plans, or of one plan. */
export type Owner = 'api' | { readonly plan: string };

/** What is being designed: the body of a PUT of the API, and the flows of its plans by their ids. */
export interface Design {
  readonly api: Readonly<Record<string, unknown>>;
  readonly plans: Readonly<Record<string, readonly Flow[]>>;
}

/** A flow of a design. */
export interface FlowPlace {
  readonly owner: Owner;
  readonly flow: number;
}

/** A step of a flow. */
export interface StepPlace extends FlowPlace {
  readonly lane: Lane;
  readonly step: number;
}

/** Whether flows of a draft can be drawn at all: what somebody typed elsewhere may be anything. */
export function areFlows(value: unknown): value is readonly Flow[] {
  const isRecord = (each: unknown): each is Readonly<Record<string, unknown>> =>
    typeof each === 'object' && each !== null && !Array.isArray(each);
  const isList = (each: unknown): boolean =>
    each === undefined || (Array.isArray(each) && each.every(isRecord));
  return (
    Array.isArray(value) &&
    value.every(
      (flow: unknown) =>
        isRecord(flow) && isList(flow['request']) && isList(flow['response']) && isList(flow['selectors']),
    )
  );
}

export function flowsOf({ api, plans }: Design, owner: Owner): readonly Flow[] {
  if (owner !== 'api') return plans[owner.plan] ?? [];
  return areFlows(api['flows']) ? api['flows'] : [];
}

/** The design with other flows of an owner. */
export function withFlows(design: Design, owner: Owner, flows: readonly Flow[]): Design {
  return owner === 'api'
    ? { ...design, api: { ...design.api, flows } }
    : { ...design, plans: { ...design.plans, [owner.plan]: flows } };
}

export const flowAt = (design: Design, { owner, flow }: FlowPlace): Flow | undefined =>
  flowsOf(design, owner)[flow];

export const stepsOf = (flow: Flow | undefined, lane: Lane): readonly Step[] => flow?.[lane] ?? [];

/** The design with another flow at a place. */
export function withFlow(design: Design, { owner, flow }: FlowPlace, next: Flow): Design {
  const flows = flowsOf(design, owner);
  return flow < flows.length ? withFlows(design, owner, flows.with(flow, next)) : design;
}

function withSteps(
  design: Design,
  place: FlowPlace & { readonly lane: Lane },
  steps: readonly Step[],
): Design {
  const flow = flowAt(design, place);
  return flow === undefined ? design : withFlow(design, place, { ...flow, [place.lane]: [...steps] });
}

/** The design with a step more, before the one that stands at the place now. */
export function withStep(design: Design, place: StepPlace, step: Step): Design {
  return withSteps(design, place, stepsOf(flowAt(design, place), place.lane).toSpliced(place.step, 0, step));
}

/** The design with another step at a place. */
export function replaced(design: Design, place: StepPlace, step: Step): Design {
  return withSteps(design, place, stepsOf(flowAt(design, place), place.lane).with(place.step, step));
}

/** The design without a step. */
export function without(design: Design, place: StepPlace): Design {
  return withSteps(design, place, stepsOf(flowAt(design, place), place.lane).toSpliced(place.step, 1));
}

/** The design with a step in another gap of its lane: gap 0 is before the first, so that `step` and `step + 1` change nothing. */
export function moved(design: Design, place: StepPlace, gap: number): Design {
  const steps = stepsOf(flowAt(design, place), place.lane);
  const step = steps[place.step];
  const to = gap > place.step ? gap - 1 : gap;
  if (step === undefined || to === place.step || to < 0 || to >= steps.length) return design;
  return withSteps(design, place, steps.toSpliced(place.step, 1).toSpliced(to, 0, step));
}

/** What a flow begins as: it takes every request. */
export const blankFlow: Flow = {
  enabled: true,
  selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH', methods: [] }],
  request: [],
  response: [],
};

type HttpSelector = Extract<Schemas['Selector'], { readonly type: 'HTTP' }>;

/** Which requests a flow takes, as far as its path and methods say. */
export function selectorOf(flow: Flow): HttpSelector | undefined {
  return flow.selectors?.find((each): each is HttpSelector => each.type === 'HTTP');
}

export function conditionOf(flow: Flow): string {
  const found = flow.selectors?.find((each) => each.type === 'CONDITION');
  return found?.type === 'CONDITION' ? found.condition : '';
}

/** The flow with another path, methods or condition; an empty condition is none. */
export function selecting(
  flow: Flow,
  next: { readonly http?: HttpSelector; readonly condition?: string },
): Flow {
  const others = (flow.selectors ?? []).filter(({ type }) => type !== 'HTTP' && type !== 'CONDITION');
  const http = next.http ?? selectorOf(flow);
  const condition = next.condition ?? conditionOf(flow);
  return {
    ...flow,
    selectors: [
      ...(http === undefined ? [] : [http]),
      ...others,
      ...(condition === '' ? [] : [{ type: 'CONDITION' as const, condition }]),
    ],
  };
}

/** `GET, POST /orders/**` in two parts: methods, path. */
export function wordsOf(flow: Flow): { readonly methods: string; readonly path: string } {
  const { methods = [], path = '/', pathOperator = 'STARTS_WITH' } = selectorOf(flow) ?? {};
  const isPrefix = pathOperator === 'STARTS_WITH';
  return {
    methods: methods.length === 0 ? 'ANY' : methods.join(' '),
    path: isPrefix ? `${path.replace(/\/$/, '')}/**` : path,
  };
}

const spaced = (key: string): string => key.replaceAll(/([A-Z])/g, ' $1').toLowerCase();
const summaryPartsMax = 2;
const summaryCharsMax = 80;

/** What a step is set to, in a few words: its first figures, texts and lists; never a secret. */
export function summaryOf(configuration: Readonly<Record<string, unknown>> = {}): string {
  const parts: string[] = [];
  const add = (key: string, value: unknown): void => {
    if (Array.isArray(value)) {
      if (value.length > 0) parts.push(`${spaced(key)}: ${value.length}`);
    } else if (typeof value === 'object' && value !== null) {
      const limit = limitOf(value);
      if (limit !== undefined) parts.push(limit);
      else for (const [inner, each] of Object.entries(value)) add(inner, each);
    } else if (typeof value === 'number' || (typeof value === 'string' && value !== '' && !isMask(value))) {
      parts.push(typeof value === 'number' ? `${spaced(key)} ${value}` : shortOf(key, value));
    }
  };
  for (const [key, value] of Object.entries(configuration)) add(key, value);
  return parts.slice(0, summaryPartsMax).join(', ');
}

/** How many in which time: `100 per second`, `{#...} per 5 minutes`; undefined where a value is no such limit. */
function limitOf(value: object): string | undefined {
  const read = new Map(Object.entries(value));
  const [time, unit] = [read.get('periodTime'), read.get('periodTimeUnit')];
  if (typeof unit !== 'string') return undefined;
  const fixed: unknown = read.get('limit');
  const dynamic: unknown = read.get('dynamicLimit');
  const many = typeof dynamic === 'string' && dynamic !== '' && !Number(fixed) ? dynamic : fixed;
  if (typeof many !== 'number' && typeof many !== 'string') return undefined;
  const units = unit.toLowerCase();
  // One is the period of who says none.
  const period = typeof time === 'number' && time !== 1 ? `${time} ${units}` : units.replace(/s$/, '');
  return `${many} per ${period}`;
}

/** A text as it is; of a document, what it is and how long. */
function shortOf(key: string, text: string): string {
  const lines = text.trim().split('\n').length;
  if (lines > 1) return `${spaced(key)}: ${lines} lines`;
  return text.length > summaryCharsMax ? `${spaced(key)}: ${text.length} characters` : text;
}

/** What is wrong with a design, by where it stands. */
export interface DesignFault {
  /** As the API says it, e.g. `flows[0].request[1].configuration.rate.limit`. */
  readonly location: string;
  readonly message: string;
}

/** Faults at or below a place of an owner, each with the rest of its place. */
export function faultsAt(
  faults: readonly DesignFault[],
  place: string,
): readonly { readonly path: string; readonly message: string }[] {
  return faults.flatMap(({ location, message }) => {
    if (location === place) return [{ path: '', message }];
    const rest = location.startsWith(place) ? location.slice(place.length) : '';
    return rest.startsWith('.') || rest.startsWith('[') ? [{ path: rest.replace(/^\./, ''), message }] : [];
  });
}

export const placeOf = ({ flow, lane, step }: Omit<StepPlace, 'owner'>): string =>
  `flows[${flow}].${lane}[${step}]`;

/** The step, or the flow, of the API in which a place stands: `flows[1].request[0].configuration.rate`. */
export function placeAt(location: string): FlowPlace | StepPlace {
  const [, flow = '0', lane, step = '0'] =
    /^flows\[(\d+)\](?:\.(request|response)\[(\d+)\])?/.exec(location) ?? [];
  const place = { owner: 'api', flow: Number(flow) } as const;
  return lane === 'request' || lane === 'response' ? { ...place, lane, step: Number(step) } : place;
}

export const keyOf = (owner: Owner): string => (owner === 'api' ? 'api' : owner.plan);
export const isSame = (a: Owner, b: Owner): boolean => keyOf(a) === keyOf(b);
