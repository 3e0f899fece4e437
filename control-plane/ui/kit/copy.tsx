import { Check, Copy as CopyIcon } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button, type ButtonProps, IconButton } from './button.tsx';
import styles from './copy.module.css';

const shownMs = 1_500;

/** Whether the text was copied a moment ago, and how to. */
function useCopied(text: string): readonly [hasCopied: boolean, copy: () => void] {
  const [hasCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!hasCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [hasCopied]);
  return [hasCopied, () => void writeText(text).then(setCopied)];
}

/** Whether it was written. A page over plain HTTP has no clipboard; there the browser's old command is left. */
export async function writeText(text: string): Promise<boolean> {
  if (isSecureContext)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  const area = document.createElement('textarea');
  area.value = text;
  // Inside of an open dialog, which keeps the focus to itself.
  (document.activeElement?.parentElement ?? document.body).append(area);
  area.select();
  const isWritten = document.execCommand('copy');
  area.remove();
  return isWritten;
}

/** A text that a click copies. */
export function Copy({ text, shown = text }: { readonly text: string; readonly shown?: string }) {
  const [hasCopied, copy] = useCopied(text);
  return (
    <button type="button" className={`${styles['copy']} mono`} title={text} onClick={copy}>
      <span className="hidden">Copy </span>
      {shown}
      {hasCopied ? <Check size={12} aria-hidden /> : <CopyIcon size={12} aria-hidden />}
    </button>
  );
}

/** A small button that copies what stands beside it. */
export function CopyButton({ label, text }: { readonly label: string; readonly text: string }) {
  const [hasCopied, copy] = useCopied(text);
  return (
    <IconButton label={hasCopied ? 'Copied' : label} onClick={copy}>
      {hasCopied ? <Check size={14} aria-hidden /> : <CopyIcon size={14} aria-hidden />}
    </IconButton>
  );
}

/** A button with a word that copies a text. */
export function CopyVerb({
  verb,
  text,
  look = 'plain',
}: Pick<ButtonProps, 'look'> & { readonly verb: string; readonly text: string }) {
  const [hasCopied, copy] = useCopied(text);
  return (
    <Button look={look} onClick={copy}>
      {hasCopied ? <Check size={14} aria-hidden /> : <CopyIcon size={14} aria-hidden />}
      {hasCopied ? 'Copied' : verb}
    </Button>
  );
}
