import { Autocomplete as Base } from '@base-ui/react/autocomplete';
import { Dialog } from '@base-ui/react/dialog';
import { CornerDownLeft, Search } from 'lucide-react';
import type { ReactNode } from 'react';
import dialogs from './dialog.module.css';
import { layers } from './layers.ts';
import styles from './palette.module.css';

/** Something that can be gone to. */
export interface Destination {
  readonly id: string;
  readonly name: string;
  readonly icon: ReactNode;
  /** What tells it from others of its name. */
  readonly about?: string | undefined;
  /** Whether that is a path or an id rather than words. */
  readonly isCode?: boolean;
  readonly go: () => void;
}

/** Destinations of one kind. */
export interface DestinationGroup {
  readonly value: string;
  readonly items: readonly Destination[];
}

/** One line in which anything can be found, and the list of what was; whoever uses it asks for what matches. */
export function Palette({
  isOpen,
  onClose,
  groups,
  text,
  onSearch,
  isAwaited,
}: {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly groups: readonly DestinationGroup[];
  readonly text: string;
  readonly onSearch: (text: string) => void;
  readonly isAwaited: boolean;
}) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={(open) => open || onClose()}>
      <Dialog.Portal container={layers()}>
        <Dialog.Backdrop className={dialogs['scrim']} />
        <Dialog.Popup className={`${dialogs['dialog']} ${styles['palette']}`} aria-label="Go to">
          <Base.Root
            open
            inline
            items={groups}
            mode="none"
            autoHighlight="always"
            keepHighlight
            value={text}
            onValueChange={(next, { reason }) => reason === 'item-press' || onSearch(next)}
            itemToStringValue={({ name }: Destination) => name}
          >
            <Base.InputGroup className={styles['line']}>
              <Search size={16} aria-hidden />
              <Base.Input
                aria-label="Go to"
                placeholder="Search pages, APIs, applications, actions"
                maxLength={256}
              />
              <kbd>Esc</kbd>
            </Base.InputGroup>
            <Base.Empty className={styles['none']}>{isAwaited ? 'Searching' : 'Nothing matches'}</Base.Empty>
            <Base.List className={styles['list']} aria-label="Found">
              {(group: DestinationGroup) => <Group key={group.value} group={group} onClose={onClose} />}
            </Base.List>
          </Base.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Group({ group, onClose }: { readonly group: DestinationGroup; readonly onClose: () => void }) {
  return (
    <Base.Group items={group.items}>
      <Base.GroupLabel className={styles['head']}>{group.value}</Base.GroupLabel>
      <Base.Collection>
        {(item: Destination) => (
          <Base.Item
            key={item.id}
            value={item}
            className={styles['item']}
            onClick={() => {
              onClose();
              item.go();
            }}
          >
            {item.icon}
            <span className={styles['name']}>{item.name}</span>
            {item.about !== undefined && (
              <span className={`${styles['about']} ${item.isCode === true ? 'mono' : ''}`}>{item.about}</span>
            )}
            <CornerDownLeft size={12} aria-hidden className={styles['enter']} />
          </Base.Item>
        )}
      </Base.Collection>
    </Base.Group>
  );
}
