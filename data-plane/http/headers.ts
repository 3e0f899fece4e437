import type { HeaderList } from './exchange.ts';

const none: readonly string[] = [];

/** A header list over three parallel arrays: name as given, name in lower case, value. */
class ListedHeaders implements HeaderList {
  readonly #names: string[] = [];
  readonly #lowerNames: string[] = [];
  readonly #values: string[] = [];

  get size(): number {
    return this.#names.length;
  }

  get(lowerName: string): string | undefined {
    const at = this.#lowerNames.indexOf(lowerName);
    return at === -1 ? undefined : this.#values[at];
  }

  getAll(lowerName: string): readonly string[] {
    return this.has(lowerName) ? this.#values.filter((_, at) => this.#lowerNames[at] === lowerName) : none;
  }

  has(lowerName: string): boolean {
    return this.#lowerNames.includes(lowerName);
  }

  set(name: string, value: string): void {
    const lowerName = name.toLowerCase();
    const first = this.#lowerNames.indexOf(lowerName);
    if (first === -1) return this.append(name, value);
    this.#names[first] = name;
    this.#values[first] = value;
    this.#remove(lowerName, first + 1);
  }

  append(name: string, value: string): void {
    this.#names.push(name);
    this.#lowerNames.push(name.toLowerCase());
    this.#values.push(value);
  }

  delete(lowerName: string): boolean {
    return this.#remove(lowerName, 0);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let at = 0; at < this.#names.length; at += 1) visit(this.#names[at] ?? '', this.#values[at] ?? '');
  }

  #remove(lowerName: string, from: number): boolean {
    let hasFound = false;
    for (let at = this.#lowerNames.length - 1; at >= from; at -= 1) {
      if (this.#lowerNames[at] !== lowerName) continue;
      hasFound = true;
      for (const list of [this.#names, this.#lowerNames, this.#values]) list.splice(at, 1);
    }
    return hasFound;
  }
}

/** Makes a header list, from nothing or from a flat list of names and values as Node's rawHeaders are. */
export function createHeaderList(flat: readonly string[] = none): HeaderList {
  const headers = new ListedHeaders();
  for (let at = 0; at + 1 < flat.length; at += 2) headers.append(flat[at] ?? '', flat[at + 1] ?? '');
  return headers;
}

// RFC 9110 section 7.6.1: meant for one connection, so never forwarded; framing is regenerated from the body.
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'expect',
  'http2-settings',
]);

/**
 * A flat list of what goes on to the next hop: without hop-by-hop headers, those that `Connection` names, and framing.
 *
 * Host is kept even where `Connection` names it: a request without it would be another request.
 */
export function forwardable(headers: HeaderList): string[] {
  const named = new Set(
    headers.getAll('connection').flatMap((value) =>
      value
        .toLowerCase()
        .split(',')
        .map((token) => token.trim()),
    ),
  );
  const flat: string[] = [];
  headers.forEach((name, value) => {
    const lowerName = name.toLowerCase();
    if (!hopByHop.has(lowerName) && (lowerName === 'host' || !named.has(lowerName))) flat.push(name, value);
  });
  return flat;
}
