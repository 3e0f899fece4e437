const MASK = '***';

/** Masks what stands in the parts of a form (`multipart/form-data`) whose names carry keys; the last may be cut. */
export function maskParts(text: string, isSecret: (name: string) => boolean): string {
  if (!text.startsWith('--') && !text.startsWith('\r\n--')) return text;
  const boundary = /--[^\r\n]{1,256}/.exec(text)?.[0];
  if (boundary === undefined) return text;
  return text
    .split(`\n${boundary}`)
    .map((part) => {
      const head = headEnd.exec(part);
      if (head === null) return part;
      const contentStart = head.index + head[0].length;
      const names = [...part.slice(0, head.index).matchAll(partName)];
      if (!names.some(([, quoted, plain]) => isSecret(quoted ?? plain ?? ''))) return part;
      return part.slice(0, contentStart) + MASK + (part.endsWith('\r') ? '\r' : '');
    })
    .join(`\n${boundary}`);
}

const headEnd = /\r?\n\r?\n/;
/** Not `filename`. */
const partName = /[\s;]name\s{0,16}=\s{0,16}(?:"([^"]{0,256})|([^\s;"]{1,256}))/gi;
