import { Fragment, useEffect } from 'react';
import { ToldDialog } from '../kit/dialog.tsx';
import styles from './keys.module.css';

const groups: readonly (readonly [
  name: string,
  keys: readonly (readonly [does: string, keys: readonly string[]])[],
])[] = [
  [
    'Everywhere',
    [
      ['Search pages, APIs, applications and calls', ['Ctrl K']],
      ['Show these keys', ['?']],
      ['Close a dialog, menu or list', ['Esc']],
      ['Next field, link or button', ['Tab']],
    ],
  ],
  [
    'In lists',
    [
      ['Next row, row before', ['↓', '↑', 'j', 'k']],
      ['Open the row', ['Enter']],
      ['Choose the row', ['x']],
    ],
  ],
  [
    'In expressions',
    [
      ['Offer what can stand here', ['Ctrl Space']],
      ['Choose, and take it', ['↓', '↑', 'Enter']],
    ],
  ],
  [
    'In the policy studio',
    [
      ['Move a step', ['Alt ←', 'Alt →']],
      ['Remove a step', ['Delete']],
      ['Undo, redo', ['Ctrl Z', 'Ctrl Shift Z']],
      ['Run the draft, in its strip', ['Ctrl Enter']],
    ],
  ],
];

/** What the keyboard does, shown by `?` wherever nobody is writing, or by whoever asks for it. */
export function Keys({
  isOpen,
  onOpen,
}: {
  readonly isOpen: boolean;
  readonly onOpen: (isOpen: boolean) => void;
}) {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const { target } = event;
      const isText =
        target instanceof HTMLElement &&
        (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);
      if (event.key !== '?' || isText || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      onOpen(true);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [onOpen]);
  return (
    <ToldDialog title="Keys" isOpen={isOpen} onClose={() => onOpen(false)} done="Close">
      {groups.map(([name, keys]) => (
        <section key={name} aria-label={name} className={styles['group']}>
          <h3>{name}</h3>
          <dl className={styles['keys']}>
            {keys.map(([does, pressed]) => (
              <Fragment key={does}>
                <dt>{does}</dt>
                <dd>
                  {pressed.map((each) => (
                    <kbd key={each}>{each}</kbd>
                  ))}
                </dd>
              </Fragment>
            ))}
          </dl>
        </section>
      ))}
    </ToldDialog>
  );
}
