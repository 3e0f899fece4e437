import { Autocomplete as Base } from '@base-ui/react/autocomplete';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { type KeyboardEvent, type RefObject, useEffect, useId, useRef, useState } from 'react';
import fields from '../../kit/field.module.css';
import { Completions, useCompleting } from '../../kit/completing.tsx';
import { layers } from '../../kit/layers.ts';
import menus from '../../kit/menu.module.css';
import { count, worded } from '../../kit/numbers.ts';
import { isUnknown, nouns, type OnSearch, useNaming } from './narrow.tsx';
import { type Asked, grouped, requests } from './questions.ts';
import { meant, quoted, type Token, tokenKeys, typedIn, type Typing, typingIn, withToken } from './query.ts';
import { type Narrowing, narrowings, statusGroups, type TrafficSearch, withText } from './search.ts';
import styles from './traffic.module.css';

interface Offer {
  readonly id: string;
  readonly words: string;
  readonly about: string;
  /** What the text becomes; nothing follows it where it is a token that stands complete. */
  readonly text: string;
  readonly token: Token | undefined;
}

const typedMs = 250;
const valuesMax = 50;

/** What of a search is a text. */
const textOf = ({ q, id }: TrafficSearch): string => q ?? id ?? '';

interface QueryBoxProps {
  readonly asked: Asked;
  readonly search: TrafficSearch;
  readonly onSearch: OnSearch;
}

/**
 * The line above calls that narrows them: a part of the path, or tokens such as `status:500`, completed from what the calls hold. A token that
 * is chosen, or entered, becomes a chip; words narrow by themselves a moment after somebody has stopped typing.
 */
export function QueryBox({ asked, search, onSearch }: QueryBoxProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [typed, setTyped] = useTyped(search, onSearch);
  const { isOpen: isWished, setOpen, actionsRef, onBlur } = useCompleting();
  const [fault, setFault] = useState<string>();
  const typing = typingIn(typed);
  const offers = useOffers(asked, typed, typing);
  const isOpen = isWished && offers.length > 0;
  const found = useFound(asked, search);
  const enter = async (text: string): Promise<void> => {
    setOpen(false);
    const told = await found(text);
    setFault(typeof told === 'string' ? told : undefined);
    if (typeof told === 'string') return;
    setTyped(textOf(told));
    onSearch(told);
  };
  const choose = ({ token, text }: Offer): void => (token === undefined ? setTyped(text) : void enter(text));
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key !== 'Enter') return;
    // What is marked among completions is chosen by the list itself.
    if (event.currentTarget.hasAttribute('aria-activedescendant')) return;
    event.preventDefault();
    void enter(typed);
  };
  return (
    <div className={styles['query']}>
      <Base.Root
        items={offers}
        filter={null}
        open={isOpen}
        actionsRef={actionsRef}
        // What begins a token is gone on with.
        onOpenChange={(open, { reason }) => (reason === 'item-press' ? undefined : setOpen(open))}
        value={typed}
        onValueChange={(text, { reason }) => {
          // What is chosen says for itself what becomes of the text.
          if (reason !== 'input-change' && reason !== 'input-clear') return;
          setFault(undefined);
          setTyped(text);
          setOpen(true);
        }}
        itemToStringValue={({ text }: Offer) => text}
        // Of values the first is meant, also when they come after somebody has stopped typing.
        autoHighlight={typing?.kind === 'value' ? 'always' : false}
      >
        <div className={fields['box']} ref={box}>
          <Search size={14} aria-hidden />
          <Base.Input
            type="search"
            aria-label="Filter by path, id, or tokens such as status:500"
            placeholder="Path, id, or status:500 api:orders …"
            maxLength={256}
            aria-invalid={fault !== undefined || undefined}
            aria-describedby={fault === undefined ? undefined : id}
            onKeyDown={onKeyDown}
            onBlur={onBlur}
          />
        </div>
        {isOpen && <Offers box={box} onChoose={choose} />}
      </Base.Root>
      <span id={id} role="status" className={fields['error']}>
        {fault}
      </span>
    </div>
  );
}

/** The search that an entered text makes of the one that is shown, or why it makes none. */
function useFound(asked: Asked, search: TrafficSearch): (text: string) => Promise<TrafficSearch | string> {
  const resolve = useResolve(asked);
  return async (text) => {
    const { tokens, rest } = typedIn(text);
    const resolved = await Promise.all(tokens.map(resolve));
    const missing = resolved.find((each) => typeof each === 'string');
    if (missing !== undefined) return missing;
    const known = resolved.filter((each) => typeof each !== 'string');
    // A path that stands as a token is what words would be.
    return known.reduce(withToken, rest === '' && known.length > 0 ? search : withText(search, rest));
  };
}

function Offers({
  box,
  onChoose,
}: {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly onChoose: (offer: Offer) => void;
}) {
  return (
    <Base.Portal container={layers()}>
      <Base.Positioner anchor={box} sideOffset={4} className={menus['over']}>
        <Completions>
          <Base.List aria-label="Completions">
            {(offer: Offer) => (
              <Base.Item
                key={offer.id}
                value={offer}
                className={menus['item']}
                onClick={() => onChoose(offer)}
              >
                <span className={`${menus['name']} mono`}>{offer.words}</span>
                <span className="quiet num">{offer.about}</span>
              </Base.Item>
            )}
          </Base.List>
        </Completions>
      </Base.Positioner>
    </Base.Portal>
  );
}

/** What stands in the line; words of it narrow by themselves, unless tokens stand among them that somebody has yet to enter. */
function useTyped(search: TrafficSearch, onSearch: OnSearch) {
  const value = textOf(search);
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    const words = typed.trim();
    const isOfTokens = typingIn(typed)?.kind === 'value' || typedIn(typed).tokens.length > 0;
    const begins = tokenKeys.some(([key]) => words !== '' && key.startsWith(words.toLowerCase()));
    if (words === value || isOfTokens || begins) return;
    const timer = setTimeout(() => onSearch(withText(search, words)), typedMs);
    return () => clearTimeout(timer);
  });
  return [typed, setTyped] as const;
}

const isNarrowing = (key: string): key is Narrowing => Object.hasOwn(narrowings, key);

const valuesOf = (asked: Asked, key: Narrowing) =>
  grouped(asked, { by: narrowings[key], metrics: [requests], limit: valuesMax, without: key });

/** What completes the word that is being typed. */
function useOffers(asked: Asked, typed: string, typing: Typing | undefined): readonly Offer[] {
  const nameOf = useNaming(asked.env);
  const key = typing?.kind === 'value' ? typing.key : undefined;
  const by = key !== undefined && isNarrowing(key) ? key : 'status';
  const { data } = useQuery({ ...valuesOf(asked, by), enabled: key !== undefined && isNarrowing(key) });
  if (typing === undefined || typed.trim() === '') return [];
  const start = typing.start.toLowerCase();
  if (typing.kind === 'key')
    return tokenKeys
      .filter(([name]) => start !== '' && name.startsWith(start))
      .map(([name, about]) => {
        const text = `${typing.before}${name}:`;
        return { id: name, words: `${name}:`, about, text, token: undefined };
      });
  if (!isNarrowing(typing.key)) return [];
  const values = [
    ...(data ?? [])
      .filter((group) => !isUnknown(group.key))
      .map((group) => ({ value: nameOf(by, group), about: worded(count(group.values[0])) })),
    ...(typing.key === 'status' ? statusGroups.map((group) => ({ value: group, about: 'all of them' })) : []),
  ];
  return values
    .filter(({ value }) => value.toLowerCase().includes(start))
    .map(({ value, about }) => {
      const words = `${typing.key}:${quoted(value)}`;
      return {
        id: words,
        words,
        about,
        text: `${typing.before}${words} `,
        token: { key: typing.key, value },
      };
    });
}

/** Says which id a token's name stands for among the calls of the span, or why it cannot be told. */
function useResolve(asked: Asked): (token: Token) => Promise<Token | string> {
  const queries = useQueryClient();
  const nameOf = useNaming(asked.env);
  return async (token) => {
    const { key, value } = token;
    if (key === 'status' && !/^([1-5]xx|\d{1,3})$/i.test(value)) return `${value} is no status`;
    if (!isNarrowing(key) || key === 'status' || key === 'method' || key === 'error') return token;
    const found = await queries.fetchQuery(valuesOf(asked, key));
    const values = found.map((group) => ({ id: group.key, name: nameOf(key, group) }));
    const one = meant(values, value);
    return one === undefined
      ? `No ${nouns[key]} of these calls, or more than one, is called “${value}”`
      : { key, value: one.id };
  };
}
