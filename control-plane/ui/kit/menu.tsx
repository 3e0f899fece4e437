import { Menu as Base } from '@base-ui/react/menu';
import type { ReactElement, ReactNode } from 'react';
import { layers } from './layers.ts';
import styles from './menu.module.css';

/** One thing that a menu does. */
export interface MenuItem {
  readonly label: ReactNode;
  readonly onChoose: () => void;
}

/** A button that opens a list of things to do. */
export function Menu({
  trigger,
  head,
  items,
  onOpen,
}: {
  readonly trigger: ReactElement;
  readonly head?: ReactNode;
  readonly items: readonly (MenuItem & { readonly id: string })[];
  /** Told when it opens and closes, for what is asked only then. */
  readonly onOpen?: (isOpen: boolean) => void;
}) {
  return (
    <Base.Root onOpenChange={(isOpen) => onOpen?.(isOpen)}>
      <Base.Trigger render={trigger} />
      <Base.Portal container={layers()}>
        <Base.Positioner sideOffset={4} align="end">
          <Base.Popup className={styles['popup']}>
            {head !== undefined && <div className={styles['head']}>{head}</div>}
            {items.map(({ id, label, onChoose }) => (
              <Base.Item key={id} className={styles['item']} onClick={onChoose}>
                {label}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
