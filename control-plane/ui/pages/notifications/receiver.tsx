import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { FormDialog } from '../../kit/dialog.tsx';
import { SelectField, TextField } from '../../kit/field.tsx';
import { createSetting, type Hook, saveSetting, type Setting, type Side, touchedBy } from './questions.ts';
import { HooksField } from './hooks-field.tsx';

const ways = [
  ['default-email', 'Mail'],
  ['default-webhook', 'Webhook'],
] as const;

/** Who is told, how, and of what. */
export function ReceiverDialog({
  side,
  hooks,
  setting,
  onClose,
}: {
  readonly side: Side;
  readonly hooks: readonly Hook[];
  readonly setting: Setting | undefined;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState(setting?.name ?? '');
  const [notifier, setNotifier] = useState<string>(setting?.notifier ?? 'default-email');
  const [config, setConfig] = useState(setting?.config ?? '');
  const [secret, setSecret] = useState(setting?.secret ?? '');
  const [chosen, setChosen] = useState<readonly string[]>(setting?.hooks ?? []);
  const isMail = notifier === 'default-email';
  const saving = useChange({
    change: () => {
      const body = {
        config_type: 'GENERIC' as const,
        name,
        notifier,
        config,
        hooks: [...chosen],
        ...(!isMail && secret !== '' && { secret }),
      };
      return setting?.id === undefined ? createSetting(side, body) : saveSetting(side, setting.id, body);
    },
    touches: touchedBy(side),
    onDone: onClose,
  });
  const faultOf = (field: string): string | undefined => Problem.at(saving.error, field);
  return (
    <FormDialog
      title={setting === undefined ? 'Add receiver' : `Edit ${setting.name}`}
      isOpen
      onClose={onClose}
      submit={{
        verb: setting === undefined ? 'Add receiver' : 'Save receiver',
        mutation: saving,
        isReady: name.trim() !== '' && config.trim() !== '' && chosen.length > 0,
      }}
    >
      <TextField
        label="Name"
        value={name}
        maxLength={256}
        autoFocus
        error={faultOf('name')}
        onChange={({ target: { value } }) => setName(value)}
      />
      {setting === undefined && (
        <WayField
          value={notifier}
          error={faultOf('notifier')}
          onChange={(value) => {
            setNotifier(value);
            setConfig('');
          }}
        />
      )}
      <ConfigField isMail={isMail} value={config} error={faultOf('config')} onChange={setConfig} />
      {!isMail && <SecretField value={secret} error={faultOf('secret')} onChange={setSecret} />}
      <HooksField label="Told of" hooks={hooks} chosen={chosen} onChange={setChosen} />
    </FormDialog>
  );
}

interface TextProps {
  readonly value: string;
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
}

function SecretField({ value, error, onChange }: TextProps) {
  return (
    <TextField
      label="Secret"
      hint="Calls are signed with it, in X-Isthmus-Signature"
      isOptional
      type="password"
      autoComplete="off"
      value={value}
      maxLength={256}
      error={error}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function ConfigField({ isMail, value, error, onChange }: TextProps & { readonly isMail: boolean }) {
  return (
    <TextField
      label={isMail ? 'Addresses' : 'URL'}
      hint={isMail ? 'With a comma between them' : 'It is sent a POST with JSON'}
      value={value}
      maxLength={4_096}
      error={error}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function WayField({ value, error, onChange }: TextProps) {
  return (
    <SelectField
      label="How"
      value={value}
      options={ways}
      error={error}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
