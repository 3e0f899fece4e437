/** Drawn in lines on 24 x 24, one for each category; what is not listed has that of `others`. */
const paths: ReadonlyMap<string, string> = new Map([
  ['security', 'M12 3 5 6v5c0 4.5 3 8 7 10 4-2 7-5.5 7-10V6l-7-3Z'],
  ['validation', 'M4 12l5 5L20 6'],
  ['traffic', 'M5 12h14M13 6l6 6-6 6M5 6v12'],
  ['transformation', 'M4 8h13l-4-4M20 16H7l4 4'],
  ['ai', 'M12 3v6M12 15v6M3 12h6M15 12h6M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z'],
  ['introspection', 'M14 10a4 4 0 1 0-1 3l7 7M17 17l2-2'],
  ['cache', 'M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0V6Zm0 0c0 4 16 4 16 0M4 12c0 4 16 4 16 0'],
  ['endpoint', 'M4 5h16v6H4V5Zm0 8h16v6H4v-6ZM8 8h.01M8 16h.01'],
  ['entrypoint', 'M14 4h6v16h-6M4 12h10M10 8l4 4-4 4'],
  ['service', 'M3 12h4l3-8 4 16 3-8h4'],
  ['others', 'M4 4h7v7H4V4Zm9 0h7v7h-7V4ZM4 13h7v7H4v-7Zm9 0h7v7h-7v-7Z'],
]);

/** The picture of a category as a data URI; its lines are grey enough for a light and a dark ground. */
export function iconOf(category: string): string {
  const path = paths.get(category) ?? paths.get('others') ?? '';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#7a8291" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"><path d="${path}"/></svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
