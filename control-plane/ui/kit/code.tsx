import styles from './code.module.css';
import { CopyButton } from './copy.tsx';

/** Lines that work as they stand, with the button that takes them along. */
export function Code({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <div className={styles['code']}>
      <pre className="mono" tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
      <CopyButton label={`Copy ${label}`} text={text} />
    </div>
  );
}
