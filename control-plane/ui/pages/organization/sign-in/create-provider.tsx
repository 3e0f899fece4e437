import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange } from '../../../api/change.ts';
import { Problem } from '../../../api/problem.ts';
import { FormDialog } from '../../../kit/dialog.tsx';
import { SelectField, TextField } from '../../../kit/field.tsx';
import { createProvider, type Provider, typeWords } from './questions.ts';

const types = (['OIDC', 'GOOGLE', 'GRAVITEEIO_AM'] as const).map((type) => [type, typeWords[type]] as const);

/** What is asked of a provider beside its name, by its type. */
const fields = {
  OIDC: ['discoveryEndpoint'],
  GOOGLE: [],
  GRAVITEEIO_AM: ['serverURL', 'domain'],
} as const satisfies Record<Provider['type'], readonly string[]>;
type Place = (typeof fields)[Provider['type']][number];

const placeWords: Readonly<Record<Place, readonly [label: string, hint: string]>> = {
  discoveryEndpoint: ['Discovery URL', 'It ends with /.well-known/openid-configuration'],
  serverURL: ['Server URL', 'Where the access management server is, with https'],
  domain: ['Security domain', 'Whose users these are'],
};

/** A new provider; nobody comes in by it before it is activated. */
export function CreateProvider({ onClose }: { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [type, setType] = useState<Provider['type']>('OIDC');
  const [name, setName] = useState('');
  const [written, setWritten] = useState<Readonly<Record<string, string>>>({});
  const asked: readonly Place[] = fields[type];
  const creating = useChange({
    change: () =>
      createProvider({
        name,
        type,
        configuration: Object.fromEntries(
          ['clientId', 'clientSecret', ...asked].map((key) => [key, (written[key] ?? '').trim()]),
        ),
      }),
    touches: [['providers'], ['identity-providers']],
    onDone: ({ id }) => void navigate({ to: '/_org/sign-in/$provider', params: { provider: id } }),
  });
  const field = (key: string) => ({
    value: written[key] ?? '',
    error: Problem.at(creating.error, `configuration.${key}`),
    onChange: ({ target: { value } }: { readonly target: { readonly value: string } }) =>
      setWritten((before) => ({ ...before, [key]: value })),
  });
  return (
    <FormDialog
      title="Create identity provider"
      about="Nobody comes in by it before it is activated. Who it maps to what is written on its page."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Create identity provider', mutation: creating, isReady: name.trim() !== '' }}
    >
      <SelectField label="Type" value={type} options={types} onChoose={setType} />
      <TextField
        label="Name"
        hint="The sign-in page says: Sign in with …"
        value={name}
        maxLength={128}
        autoFocus
        error={Problem.at(creating.error, 'name')}
        onChange={({ target: { value } }) => setName(value)}
      />
      {asked.map((place) => (
        <TextField key={place} label={placeWords[place][0]} hint={placeWords[place][1]} {...field(place)} />
      ))}
      <TextField label="Client id" {...field('clientId')} />
      <TextField
        label="Client secret"
        type="password"
        autoComplete="off"
        hint="Kept sealed, and never shown again"
        {...field('clientSecret')}
      />
    </FormDialog>
  );
}
