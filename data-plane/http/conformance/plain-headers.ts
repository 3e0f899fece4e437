import type { HeaderList } from '../exchange.ts';

/** A header list that knows no engine: what another one, e.g. of HTTP/2, would hand over. */
export class PlainHeaders implements HeaderList {
  #lines: (readonly [name: string, value: string])[];

  constructor(lines: readonly (readonly [name: string, value: string])[]) {
    this.#lines = [...lines];
  }

  get size(): number {
    return this.#lines.length;
  }

  get(lowerName: string): string | undefined {
    return this.getAll(lowerName)[0];
  }

  getAll(lowerName: string): readonly string[] {
    return this.#lines.filter(([name]) => name.toLowerCase() === lowerName).map(([, value]) => value);
  }

  has(lowerName: string): boolean {
    return this.get(lowerName) !== undefined;
  }

  set(name: string, value: string): void {
    this.delete(name.toLowerCase());
    this.append(name, value);
  }

  append(name: string, value: string): void {
    this.#lines.push([name, value]);
  }

  delete(lowerName: string): boolean {
    const before = this.#lines.length;
    this.#lines = this.#lines.filter(([name]) => name.toLowerCase() !== lowerName);
    return this.#lines.length < before;
  }

  keepOnly(lowerNames: ReadonlySet<string>): void {
    this.#lines = this.#lines.filter(([name]) => lowerNames.has(name.toLowerCase()));
  }

  forEachName(visit: (name: string) => void): void {
    for (const [name] of this.#lines) visit(name);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (const [name, value] of this.#lines) visit(name, value);
  }
}
