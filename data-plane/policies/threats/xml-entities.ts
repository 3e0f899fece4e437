import type { Doctype } from './xml-doctype.ts';

/** Characters that entities stand for in one document, and how deep they may stand in each other: all of them are read. */
export const expandedCharsMax = 1_048_576;
export const entityLevelsMax = 500;

/** Bounds of entities; undefined is no bound. */
export interface EntityBounds {
  /** Declared ones, and uses of them, those inside of others included. */
  readonly entitiesMax: number | undefined;
  /** Entities in each other. */
  readonly entityDepthMax: number | undefined;
}

/** What a use of an entity exceeds, or that there is none of its name. */
export type EntityThreat = 'entities' | 'entityDepth' | 'syntax' | 'unbounded';

/** Entities of one document, and what was made of them so far. */
export class XmlEntities {
  readonly #bounds: EntityBounds;
  #doctype: Doctype = { entities: new Map(), hasExternals: false };
  #uses = 0;
  #chars = 0;
  /** Those in whose text the reader is. */
  readonly #open = new Set<string>();

  constructor(bounds: EntityBounds) {
    this.#bounds = bounds;
  }

  declare(doctype: Doctype): EntityThreat | undefined {
    this.#doctype = doctype;
    return doctype.entities.size > (this.#bounds.entitiesMax ?? Infinity) ? 'entities' : undefined;
  }

  /** What an entity stands for, which is read before `leave` is called. */
  enter(name: string): { readonly text: string } | EntityThreat {
    const declared = this.#doctype.entities.get(name);
    if (declared === undefined && !this.#doctype.hasExternals) return 'syntax';
    const text = declared ?? '';
    this.#uses += 1;
    this.#chars += text.length;
    if (this.#uses > (this.#bounds.entitiesMax ?? Infinity)) return 'entities';
    if (this.#open.size >= (this.#bounds.entityDepthMax ?? Infinity)) return 'entityDepth';
    if (this.#open.has(name)) return 'syntax';
    if (this.#chars > expandedCharsMax || this.#open.size >= entityLevelsMax) return 'unbounded';
    this.#open.add(name);
    return { text };
  }

  leave(name: string): void {
    this.#open.delete(name);
  }
}
