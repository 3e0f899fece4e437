/** A reporter of `node --test`: the path of the file of every failed test, one a line, for the second try of `run.ts`. */
// oxlint-disable-next-line import/no-default-export -- node --test loads a reporter by its default export
export default async function* failedFiles(
  events: AsyncIterable<{ readonly type: string; readonly data: { readonly file?: string } }>,
): AsyncGenerator<string> {
  const told = new Set<string>();
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.file === undefined || told.has(data.file)) continue;
    told.add(data.file);
    yield `${data.file}\n`;
  }
}
