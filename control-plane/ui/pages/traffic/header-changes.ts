/** What became of a header between both sides of the gateway. */
export interface HeaderChange {
  readonly name: string;
  readonly kind: 'added' | 'changed' | 'removed' | 'same';
  readonly before: string;
  readonly after: string;
}

type Headers = Readonly<Record<string, readonly string[]>>;

const order = ['added', 'changed', 'removed', 'same'] as const;

/** Headers of both sides by their names, in whatever case; what differs comes first. */
export function headerChanges(before: Headers = {}, after: Headers = {}): readonly HeaderChange[] {
  const [former, latter] = [before, after].map(
    (headers) =>
      new Map(Object.entries(headers).map(([name, values]) => [name.toLowerCase(), values.join(', ')])),
  );
  const names = [...new Set([...(former?.keys() ?? []), ...(latter?.keys() ?? [])])].toSorted();
  const changes = names.map((name): HeaderChange => {
    const [was, is] = [former?.get(name), latter?.get(name)];
    const kind = was === undefined ? 'added' : is === undefined ? 'removed' : was === is ? 'same' : 'changed';
    return { name, kind, before: was ?? '', after: is ?? '' };
  });
  return changes.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}
