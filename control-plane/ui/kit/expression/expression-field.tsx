import { Tooltip } from '@base-ui/react/tooltip';
import { useQuery } from '@tanstack/react-query';
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { AreaField, TextField } from '../field.tsx';
import { layers } from '../layers.ts';
import menus from '../menu.module.css';
import { type ExpressionKind, type Offer, type Offered, offersAt } from './complete.ts';
import styles from './expression.module.css';
import { useExpressionFault, vocabulary } from './questions.ts';

type Writing = HTMLInputElement | HTMLTextAreaElement;

/**
 * A text that may hold expressions: what can be written is offered while it is (Ctrl-Space asks for it), and what is wrong with it is told.
 *
 * Arrows choose, Enter takes, Escape closes; Tab leaves the field, as everywhere.
 */
export function ExpressionField({
  label,
  kind,
  value,
  onWrite,
  error,
  hasLines = false,
  ...field
}: {
  readonly label: string;
  readonly kind: ExpressionKind;
  readonly value: string;
  readonly onWrite: (text: string) => void;
  readonly error?: string | undefined;
  readonly hint?: ReactNode;
  readonly isOptional?: boolean;
  readonly placeholder?: string | undefined;
  readonly hasLines?: boolean;
  /** In a line alone. */
  readonly type?: 'text' | 'password';
  readonly after?: ReactNode;
  readonly mark?: string;
}) {
  const list = useId();
  const box = useRef<HTMLDivElement>(null);
  const judged = useExpressionFault(value, kind);
  const offering = useOffers({ kind, value, onWrite });
  const { offers, chosen, isOpen } = offering;
  const common = {
    label,
    value,
    // Whoever is choosing has not written it yet.
    error: isOpen ? undefined : (judged ?? error),
    'aria-autocomplete': 'list' as const,
    'aria-controls': isOpen ? list : undefined,
    'aria-activedescendant': isOpen ? `${list}-${chosen}` : undefined,
    autoComplete: 'off',
    spellCheck: false,
    onChange: ({ target }: { readonly target: Writing }) => offering.write(target),
    onKeyDown: offering.onKey,
    onFocus: offering.begin,
    onBlur: offering.close,
    onClick: offering.close,
  };
  const { type, after, mark = 'expression', ...said } = field;
  return (
    <div ref={box}>
      {hasLines ? (
        <AreaField {...said} mark={mark} {...common} />
      ) : (
        <TextField {...said} {...{ mark, after }} {...common} {...(type && { type })} className="mono" />
      )}
      <span className="hidden" role="status">
        {isOpen ? `${offers.length} can stand here` : ''}
      </span>
      <Offers {...{ list, label, box, offering }} />
    </div>
  );
}

const nothing: Offered = { from: 0, offers: [] };

function useOffers({
  kind,
  value,
  onWrite,
}: {
  readonly kind: ExpressionKind;
  readonly value: string;
  readonly onWrite: (text: string) => void;
}) {
  const [hasBegun, setBegun] = useState(false);
  const { data: known } = useQuery({ ...vocabulary, enabled: hasBegun });
  // What was written and where, as long as something may be offered for it.
  const [asked, setAsked] = useState<{ readonly text: string; readonly at: number }>();
  const [chosen, setChosen] = useState(0);
  const placed = useRef<{ readonly element: Writing; readonly at: number }>(undefined);
  useLayoutEffect(() => {
    placed.current?.element.setSelectionRange(placed.current.at, placed.current.at);
    placed.current = undefined;
  }, [value]);
  const offered: Offered = useMemo(
    () => (known === undefined || asked === undefined ? nothing : offersAt({ ...asked, kind }, known)),
    [known, asked, kind],
  );
  const ask = (text: string, at: number): void => {
    setChosen(0);
    setAsked({ text, at });
  };
  const close = (): void => setAsked(undefined);
  const take = (offer: Offer, element: Writing): void => {
    const at = element.selectionEnd ?? value.length;
    placed.current = { element, at: offered.from + offer.text.length - offer.back };
    close();
    onWrite(value.slice(0, offered.from) + offer.text + value.slice(at));
  };
  const isOpen = offered.offers.length > 0;
  return {
    offers: offered.offers,
    chosen,
    isOpen,
    close,
    take,
    begin: (): void => setBegun(true),
    write: ({ value: text, selectionEnd }: Writing): void => {
      onWrite(text);
      ask(text, selectionEnd ?? text.length);
    },
    onKey: (event: KeyboardEvent<Writing>): void => {
      const element = event.currentTarget;
      if (event.key === ' ' && event.ctrlKey) {
        event.preventDefault();
        ask(value, element.selectionEnd ?? value.length);
      }
      if (!isOpen) return;
      const offer = offered.offers[chosen];
      const gap = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
      if (gap === 0 && event.key !== 'Enter' && event.key !== 'Escape') return;
      // Neither is the form sent, nor the dialog around it closed.
      event.preventDefault();
      event.stopPropagation();
      if (gap !== 0) setChosen((chosen + gap + offered.offers.length) % offered.offers.length);
      else if (event.key === 'Enter' && offer !== undefined) take(offer, element);
      else close();
    },
  };
}

function Offers({
  list,
  label,
  box,
  offering: { offers, chosen, isOpen, close, take },
}: {
  readonly list: string;
  readonly label: string;
  readonly box: RefObject<HTMLDivElement | null>;
  readonly offering: ReturnType<typeof useOffers>;
}) {
  useEffect(() => {
    document.getElementById(`${list}-${chosen}`)?.scrollIntoView({ block: 'nearest' });
  }, [list, chosen, offers]);
  const anchor = (): Element | null => box.current?.querySelector('input, textarea')?.parentElement ?? null;
  return (
    // What stands in it can be chosen without leaving the field: it is placed as tooltips are, and takes no focus.
    <Tooltip.Root open={isOpen} onOpenChange={(open) => open || close()}>
      <Tooltip.Portal container={layers()}>
        <Tooltip.Positioner
          anchor={anchor}
          side="bottom"
          align="start"
          sideOffset={4}
          className={menus['over']}
        >
          <Tooltip.Popup className={menus['popup']}>
            <ul
              id={list}
              role="listbox"
              // Where it is longer than its frame, it can be moved.
              tabIndex={0}
              className={styles['offers']}
              aria-label={`What can stand in ${label}`}
            >
              {offers.map((offer, at) => (
                <li
                  key={offer.name}
                  id={`${list}-${at}`}
                  role="option"
                  aria-selected={at === chosen}
                  data-highlighted={at === chosen || undefined}
                  className={menus['item']}
                  // The caret stays where it is.
                  onMouseDown={(event) => event.preventDefault()}
                  onClick={() => {
                    const element = box.current?.querySelector<Writing>('input, textarea');
                    if (element) take(offer, element);
                  }}
                >
                  <span className="mono">{offer.name}</span>
                  <span className={`quiet ${styles['about']}`}>{offer.about}</span>
                </li>
              ))}
            </ul>
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
