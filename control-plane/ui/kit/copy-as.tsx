import { Check, ChevronDown, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { commandsOf, type Form, formsOf } from '../api/commands.ts';
import { recorded, type RecordedCall } from '../api/recorded.ts';
import { Button, type ButtonProps } from './button.tsx';
import { writeText } from './copy.tsx';
import { Menu } from './menu.tsx';

const names: Readonly<Record<Form, string>> = {
  curl: 'curl',
  cli: 'isthmus command',
  yaml: 'YAML for isthmus create',
};
const shownMs = 1_500;

/** Copies what a page is about to do as lines for a shell, in the forms that it can be written in; nothing is done. */
export function CopyAs({
  change,
  size,
}: Pick<ButtonProps, 'size'> & {
  /** What would be done. */
  readonly change: () => Promise<unknown>;
}) {
  const [told, setTold] = useState<'copied' | 'not'>();
  const copy = async (form: Form): Promise<void> => {
    const isWritten = await copied(change, form).catch(() => false);
    setTold(isWritten ? 'copied' : 'not');
    setTimeout(() => setTold(undefined), shownMs);
  };
  return (
    <Menu
      trigger={
        <Button look="quiet" {...(size !== undefined && { size })}>
          {told === 'copied' && <Check size={14} aria-hidden />}
          {told === 'not' && <TriangleAlert size={14} aria-hidden />}
          <span aria-live="polite">
            {told === 'copied' ? 'Copied' : told === 'not' ? 'Not complete yet' : 'Copy as'}
          </span>
          {told === undefined && <ChevronDown size={14} aria-hidden />}
        </Button>
      }
      items={(Object.keys(names) as Form[]).map((form) => ({
        id: form,
        label: names[form],
        onChoose: () => void copy(form),
      }))}
    />
  );
}

/** Whether it was copied: what cannot be written in a form is written by curl. */
async function copied(change: () => Promise<unknown>, wished: Form): Promise<boolean> {
  const calls: readonly RecordedCall[] = await recorded(change);
  const forms = formsOf(calls);
  const form = forms.includes(wished) ? wished : forms.includes('cli') && wished === 'yaml' ? 'cli' : 'curl';
  if (calls.length === 0) return false;
  const { stringify } = await import('yaml');
  return writeText(commandsOf(calls, form, { origin: location.origin, yaml: stringify }));
}
