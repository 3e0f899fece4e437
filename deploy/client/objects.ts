import { text } from 'node:stream/consumers';
import { Fault } from '../../proto/faults/fault.ts';
import type { Context } from './contexts.ts';
import { type Kind, kindOf, type Parent } from './kinds.ts';
import type { Answer, Management } from './management.ts';

/** Fields of an object as the management API answers it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Objects of one kind in one place, e.g. the plans of an API. */
export interface Place {
  readonly kind: Kind;
  /** What stands in paths for `{org}`, `{env}` and the parent. */
  readonly names: Readonly<Record<string, string>>;
}

/** Rows of a list that are read at most when an object is looked for by its name. */
const lookedThroughMax = 10_000;
/** What may be an id. */
const idPattern = /^[\w-]{1,64}$/;
/** The largest page that the management API gives. */
const pageRows = 100;

/** One object, as it was when it was read. */
export interface Found {
  readonly id: string;
  readonly fields: Fields;
  /** Undefined where it has no version. */
  readonly etag?: string | undefined;
}

/** What a list gave. */
export interface Listed {
  readonly rows: readonly Fields[];
  /** How many there are in all; undefined where the list does not say. */
  readonly total: number | undefined;
  readonly warning: string | undefined;
}

/** Reads and changes objects of a control plane by kind, and finds them by name. */
export class Objects {
  readonly #management: Management;
  readonly #context: Context;

  constructor(management: Management, context: Context) {
    this.#management = management;
    this.#context = context;
  }

  /** Where objects of a kind are. Errors: config.invalid where the flag of the parent is missing or one too many. */
  async placeOf(kind: Kind, flags: Readonly<Partial<Record<Parent, string>>>): Promise<Place> {
    const { organization, environment } = this.#context;
    const names = { org: organization, env: environment };
    const { parent } = kind;
    for (const [flag, value] of Object.entries(flags))
      if (value !== undefined && flag !== parent)
        throw new Fault('config.invalid', { detail: `--${flag} says nothing about ${kind.plural}.` });
    if (parent === undefined) return { kind, names };
    const wanted = flags[parent];
    if (wanted === undefined)
      throw new Fault('config.invalid', {
        detail: `${kind.plural} are those of one ${parent}: say which with --${parent}.`,
        hint:
          parent === 'scope'
            ? `E.g. isthmus get ${kind.plural} --scope API; there are ORGANIZATION, ENVIRONMENT, API and APPLICATION.`
            : `E.g. isthmus get ${kind.plural} --${parent} orders; isthmus get ${parent}s lists them.`,
      });
    if (parent === 'scope') return { kind, names: { ...names, scope: wanted } };
    const holder = await this.find({ kind: kindOf(parent), names }, wanted);
    return { kind, names: { ...names, [parent]: holder.id } };
  }

  /** Lists up to so many, page by page. */
  async list(
    place: Place,
    { limit, query = {} }: { readonly limit: number; readonly query?: Readonly<Record<string, string>> },
  ): Promise<Listed> {
    const { pageSize, list, firstPage = 1, asked } = place.kind;
    const path = pathOf(list, place.names);
    const rows: Fields[] = [];
    for (let page = firstPage; ; page += 1) {
      const paging =
        pageSize === undefined ? {} : { page: String(page), [pageSize]: String(Math.min(limit, pageRows)) };
      const answer = await this.#management.call({
        method: 'GET',
        path,
        query: { ...asked, ...query, ...paging },
      });
      const { rows: found, total } = rowsOf(answer.body);
      rows.push(...found);
      const isLast =
        pageSize === undefined || found.length === 0 || (total !== undefined && rows.length >= total);
      if (isLast || rows.length >= limit) {
        const all = pageSize === undefined ? rows.length : total;
        return { rows: rows.slice(0, limit), total: all, warning: answer.warning };
      }
    }
  }

  /** Rows of a list with all that there is to say of each; one that has gone meanwhile is left out. */
  async whole(place: Place, rows: readonly Fields[]): Promise<readonly Fields[]> {
    const { isListShort, idField = 'id' } = place.kind;
    if (isListShort !== true) return rows;
    const all: Fields[] = [];
    for (const row of rows) {
      const one = await this.#byId(place, textOf(row[idField]));
      if (one !== undefined) all.push(one.fields);
    }
    return all;
  }

  /**
   * Finds one by its id, else by one of its names.
   *
   * Errors: client.not_found; client.ambiguous when several have the name.
   */
  async find(place: Place, word: string): Promise<Found> {
    const { kind } = place;
    const direct = await this.#byId(place, word);
    if (direct !== undefined) return direct;
    const query = kind.search === undefined ? {} : { [kind.search]: word };
    const { rows } = await this.list(place, { limit: lookedThroughMax, query });
    const named = rows.filter((row) => kind.names.some((name) => valueAt(row, name) === word));
    const [first, second] = named.map((row) => textOf(row[kind.idField ?? 'id']));
    if (first === undefined)
      throw new Fault('client.not_found', { detail: `There is no ${kind.name} ${JSON.stringify(word)}.` });
    if (second !== undefined)
      throw new Fault('client.ambiguous', {
        detail: `${named.length} ${kind.plural} are called ${JSON.stringify(word)}: ${named.map((row) => textOf(row['id'])).join(', ')}.`,
      });
    // A list may say less of it.
    return (await this.#byId(place, first)) ?? { id: first, fields: {} };
  }

  /** What is found as by {@link find}, undefined where there is none. */
  async seek(place: Place, word: string): Promise<Found | undefined> {
    try {
      return await this.find(place, word);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Makes one; what it names of another kind may be called by its name. Errors: config.invalid where nobody can, client.not_found. */
  async create(place: Place, fields: Fields): Promise<Answer> {
    const { create, plural, refers = {} } = place.kind;
    if (create === undefined)
      throw new Fault('config.invalid', { detail: `${plural} cannot be created here.` });
    const body = new Map(Object.entries(fields));
    for (const [name, idField] of Object.entries(refers)) {
      const word = body.get(name);
      if (typeof word !== 'string') continue;
      body.delete(name);
      body.set(idField, (await this.find({ kind: kindOf(name), names: place.names }, word)).id);
    }
    return this.#management.call({
      method: 'POST',
      path: pathOf(create, place.names),
      body: Object.fromEntries(body),
    });
  }

  /** Replaces one, unless somebody changed it since it was read. Errors: config.invalid where nobody can. */
  async replace(place: Place, { id, etag }: Found, fields: Fields): Promise<Answer> {
    const { update, plural } = place.kind;
    if (update === undefined)
      throw new Fault('config.invalid', { detail: `${plural} cannot be changed here.` });
    const path = pathOf(update, { ...place.names, id });
    return this.#management.call({ method: 'PUT', path, body: fields, ifMatch: etag });
  }

  /** Has one become what its kind calls a move, e.g. a plan PUBLISHED. Errors: as {@link movePathOf}. */
  async move(place: Place, id: string, to: string): Promise<void> {
    const path = pathOf(place.kind.one + movePathOf(place.kind, to), { ...place.names, id });
    await this.#management.call({ method: 'POST', path });
  }

  /** Gives one to gateways, with its parent where it is a part of that. False where they have it already, or it is nothing for them. */
  async deploy(place: Place, id: string): Promise<boolean> {
    const { kind, names } = place;
    if (kind.isDeployedWithParent === true && kind.parent !== undefined)
      return this.deploy({ kind: kindOf(kind.parent), names }, names[kind.parent] ?? '');
    if (kind.deployment === undefined) return false;
    const calls = kind.deployment((await this.find(place, id)).fields);
    for (const { path, ...call } of calls)
      await this.#management.call({
        method: 'POST',
        path: pathOf(kind.one + path, { ...names, id }),
        ...call,
      });
    return calls.length > 0;
  }

  /** Deletes one. Errors: config.invalid where nobody can. */
  async delete(place: Place, id: string): Promise<void> {
    const { canDelete, one, plural } = place.kind;
    if (canDelete !== true)
      throw new Fault('config.invalid', { detail: `${plural} cannot be deleted here.` });
    await this.#management.call({ method: 'DELETE', path: pathOf(one, { ...place.names, id }) });
  }

  /** Runs one request through the draft of an API, and says what became of it. */
  async debug(apis: Place, id: string, wish: Fields): Promise<unknown> {
    const path = pathOf(`${apis.kind.one}/debug`, { ...apis.names, id });
    return (await this.#management.call({ method: 'POST', path, body: wish })).body;
  }

  /** The API with its plans as one document, which {@link importDefinition} takes. */
  async exportDefinition(id: string): Promise<unknown> {
    return (await this.#management.call({ method: 'GET', path: this.#exportOf(id, 'definition') })).body;
  }

  /** The same as a custom resource of Kubernetes, in YAML. */
  async exportResource(id: string): Promise<string> {
    const { stream } = await this.#management.open({ method: 'GET', path: this.#exportOf(id, 'crd') });
    return stream === undefined ? '' : text(stream);
  }

  #exportOf(id: string, form: string): string {
    return `/v2/environments/${encodeURIComponent(this.#context.environment)}/apis/${encodeURIComponent(id)}/_export/${form}`;
  }

  /**
   * Imports a definition, or an OpenAPI document with itself as the documentation: into the API of this id, or as a new one. Only into one
   * that there is can it be tried without effect.
   */
  async importDefinition(
    { body: definition, isOpenApi }: { readonly body: unknown; readonly isOpenApi: boolean },
    { id, isDryRun }: { readonly id: string | undefined; readonly isDryRun: boolean },
  ): Promise<Answer> {
    const apis = `/v2/environments/${encodeURIComponent(this.#context.environment)}/apis`;
    const form = isOpenApi ? 'swagger' : 'definition';
    const body = isOpenApi ? { payload: JSON.stringify(definition), withDocumentation: true } : definition;
    if (id === undefined)
      return this.#management.call({ method: 'POST', path: `${apis}/_import/${form}`, body });
    return this.#management.call({
      method: 'PUT',
      path: `${apis}/${encodeURIComponent(id)}/_import/${form}`,
      query: isDryRun ? { dryRun: 'true' } : {},
      body,
    });
  }

  async #byId(place: Place, id: string): Promise<Found | undefined> {
    // Anything else is refused as no id at all.
    if (!idPattern.test(id)) return undefined;
    try {
      const { body, etag } = await this.#management.call({
        method: 'GET',
        path: pathOf(place.kind.one, { ...place.names, id }),
      });
      return isFields(body) ? { id, fields: body, etag } : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

/** The call below `{id}` that makes one what a file says. Errors: config.invalid where none does. */
export function movePathOf({ moves, name }: Kind, to: string): string {
  const path = moves !== undefined && Object.hasOwn(moves.to, to) ? moves.to[to] : undefined;
  if (path !== undefined) return path;
  throw new Fault('config.invalid', {
    detail: `No ${name} becomes ${to}.`,
    hint: `A file may say ${Object.keys(moves?.to ?? {}).join(', ')}.`,
  });
}

const isNotFound = (error: unknown): boolean => error instanceof Fault && error.code === 'client.not_found';

/** Says whether it is an object with fields. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pathOf(template: string, names: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent((Object.hasOwn(names, name) ? names[name] : undefined) ?? ''),
  );
}

/** Lists come as a list, or under one of these names with how many there are in all beside it. */
function rowsOf(body: unknown): { readonly rows: readonly Fields[]; readonly total: number | undefined } {
  if (Array.isArray(body)) return { rows: body.filter(isFields), total: body.length };
  if (!isFields(body)) return { rows: [], total: undefined };
  const rows = ['data', 'content', 'pages'].map((name) => body[name]).find(Array.isArray) ?? [];
  const total = ['pagination.totalCount', 'page.total_elements', 'totalElements']
    .map((path) => valueAt(body, path))
    .find((value) => typeof value === 'number');
  return { rows: rows.filter(isFields), total };
}

/** What stands at a dotted path of an object, undefined where nothing does. */
export function valueAt(fields: unknown, path: string): unknown {
  return path.split('.').reduce((at: unknown, key) => {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    return (at as Fields)[key];
  }, fields);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
