import { createOutside } from './outside.ts';

const heading = createOutside('');

/** Says what the page that is shown is called; gives what takes it back when the page goes. */
export function tellHeading(title: string): () => void {
  heading.put(title);
  return () => heading.put('');
}

/** What the page that is shown is called; nothing while none stands. */
export const useHeading = heading.use;
