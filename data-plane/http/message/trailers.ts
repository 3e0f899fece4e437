import type { HeaderList } from '../exchange.ts';
import { foldedName } from './header-name.ts';

/** Removes the lines whose names, in lower case, are such. */
export function removeWhere(list: HeaderList, isSuch: (lowerName: string) => boolean): void {
  const names: string[] = [];
  list.forEachName((name) => {
    const lowerName = name.toLowerCase();
    if (isSuch(lowerName)) names.push(lowerName);
  });
  for (const name of names) list.delete(name);
}

const way = /^(?:via|forwarded|x-forwarded-.*|x-real-ip)$/;

/** Who called and by which way is said in heads, and there by whom we trust. */
export function saysWay(lowerName: string): boolean {
  return way.test(foldedName(lowerName));
}

/** What was taken out of a head, there or not, and must not come back in its trailers. */
export class Withheld {
  readonly #removed = new Set<string>();
  readonly #kept: ReadonlySet<string>[] = [];

  remove(lowerName: string): void {
    this.#removed.add(lowerName);
  }

  keepOnly(lowerNames: ReadonlySet<string>): void {
    this.#kept.push(lowerNames);
  }

  from(trailers: HeaderList): void {
    for (const kept of this.#kept) removeWhere(trailers, (lowerName) => !kept.has(lowerName));
    for (const name of this.#removed) trailers.delete(name);
  }
}
