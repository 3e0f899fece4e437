import type { ButtonHTMLAttributes, ReactNode } from 'react';
import styles from './button.module.css';

/** How a button looks; a view has one `primary`. */
export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly size?: 'small' | 'normal' | 'large';
  readonly isWide?: boolean;
}

/** A verb with its object, e.g. "Close subscription". */
export function Button({ look = 'plain', size = 'normal', isWide = false, ...rest }: ButtonProps) {
  const names = [
    styles['button'],
    look === 'plain' ? '' : styles[look],
    size === 'normal' ? '' : styles[size],
    isWide ? styles['wide'] : '',
  ];
  return <button type="button" {...rest} className={names.filter(Boolean).join(' ')} />;
}

/** What a link needs to look like a button. */
export const buttonLook = {
  plain: styles['button'] ?? '',
  primary: `${styles['button']} ${styles['primary']}`,
  quiet: `${styles['button']} ${styles['quiet']}`,
};

/** A button that shows a picture alone; `label` is what is read out. */
export function IconButton({
  label,
  children,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { readonly label: string; readonly children: ReactNode }) {
  return (
    <button type="button" aria-label={label} title={label} {...rest} className={styles['icon']}>
      {children}
    </button>
  );
}
