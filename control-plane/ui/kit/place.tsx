import { type ReactNode, useEffect } from 'react';

/** A field, or several, of a place of an object, as faults name it: `listeners[0].paths[1].path`. */
export const Place = ({ at, children }: { readonly at: string; readonly children: ReactNode }) => (
  <div data-place={at}>{children}</div>
);

/** Brings the field of a place into view and into focus; where none has it, the next around it. */
export function useFocusOn(at: string | undefined): void {
  useEffect(() => {
    if (at === undefined || at === '') return;
    const place = [...document.querySelectorAll<HTMLElement>('[data-place]')]
      .filter(
        ({ dataset: { place: each = '' } }) =>
          each === at || (/^[.[]/.test(at.slice(each.length)) && at.startsWith(each)),
      )
      .toSorted((a, b) => (b.dataset['place'] ?? '').length - (a.dataset['place'] ?? '').length)[0];
    if (place === undefined) return;
    for (
      let each = place.closest('details');
      each !== null;
      each = each.parentElement?.closest('details') ?? null
    )
      each.open = true;
    place.querySelector<HTMLElement>('input, select, textarea, button, summary')?.focus();
    place.scrollIntoView({ block: 'center' });
  }, [at]);
}
