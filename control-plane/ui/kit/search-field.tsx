import { Combobox as Base } from '@base-ui/react/combobox';
import { Search } from 'lucide-react';
import { useId, useRef, useState, type RefObject } from 'react';
import { Completions, useCompleting } from './completing.tsx';
import fields from './field.module.css';
import { layers } from './layers.ts';
import menus from './menu.module.css';

/** Something that can be found and chosen. */
export interface Choice {
  readonly id: string;
  readonly name: string;
  /** What tells two of one name apart. */
  readonly about?: string | undefined;
}

/** One of many, found by typing: whoever uses it asks the server for what matches. */
export function SearchField({
  label,
  hint,
  choices,
  isAwaited = false,
  value,
  onChoose,
  onSearch,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly choices: readonly Choice[];
  readonly isAwaited?: boolean;
  readonly value: Choice | undefined;
  readonly onChoose: (choice: Choice | undefined) => void;
  readonly onSearch: (text: string) => void;
}) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const { isOpen, setOpen, actionsRef, onBlur } = useCompleting();
  // What is being typed; without it the name of what is chosen is shown.
  const [typed, setTyped] = useState<string>();
  return (
    <div className={fields['field']}>
      <label className={fields['label']} htmlFor={id}>
        {label}
      </label>
      <Base.Root
        items={choices}
        filter={null}
        value={value ?? null}
        onValueChange={(chosen) => {
          setTyped(undefined);
          onChoose(chosen ?? undefined);
        }}
        inputValue={typed ?? value?.name ?? ''}
        onInputValueChange={(text, { reason }) => {
          if (reason !== 'input-change' && reason !== 'input-clear') return;
          setTyped(text);
          onSearch(text);
        }}
        itemToStringLabel={({ name }) => name}
        isItemEqualToValue={(a, b) => a.id === b.id}
        autoHighlight
        open={isOpen}
        onOpenChange={setOpen}
        actionsRef={actionsRef}
      >
        <div className={fields['box']} ref={box}>
          <Search size={14} aria-hidden />
          <Base.Input
            id={id}
            placeholder="Type to search"
            maxLength={256}
            onBlur={onBlur}
            aria-describedby={hint === undefined ? undefined : `${id}-told`}
          />
        </div>
        {isOpen && <Found {...{ label, isAwaited, box }} />}
      </Base.Root>
      {hint !== undefined && (
        <span id={`${id}-told`} className={fields['hint']}>
          {hint}
        </span>
      )}
    </div>
  );
}

function Found({
  label,
  isAwaited,
  box,
}: {
  readonly label: string;
  readonly isAwaited: boolean;
  readonly box: RefObject<HTMLDivElement | null>;
}) {
  return (
    <Base.Portal container={layers()}>
      <Base.Positioner anchor={box} sideOffset={4} className={menus['over']}>
        <Completions>
          <Base.Empty className={menus['none']}>{isAwaited ? '' : 'Nothing matches'}</Base.Empty>
          <Base.List aria-label={label}>
            {(choice: Choice) => (
              <Base.Item key={choice.id} value={choice} className={menus['item']}>
                <span className={menus['name']}>{choice.name}</span>
                {choice.about !== undefined && <span className="quiet">{choice.about}</span>}
              </Base.Item>
            )}
          </Base.List>
        </Completions>
      </Base.Positioner>
    </Base.Portal>
  );
}
