import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, answerOf, organization } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { ChecksField } from '../../kit/checks.tsx';
import { Effects, FormDialog } from '../../kit/dialog.tsx';
import { SwitchField, TextField } from '../../kit/field.tsx';
import { rolesOf, setEnabled, spoken, type User } from './questions.ts';

interface Asked {
  readonly user: User;
  readonly onClose: () => void;
}

const touches = [['users'], ['people'], ['me'], ['tasks']] as const;
const pathOf = ({ id }: Pick<User, 'id'>) => ({ orgId: organization, userId: id });

/** Lets in who has registered, or refuses; either way he gets a mail. */
export function DecideRegistration({
  user,
  isAccepted,
  onClose,
}: {
  readonly user: Pick<User, 'id' | 'displayName'> & { readonly email?: string | undefined };
  readonly isAccepted: boolean;
  readonly onClose: () => void;
}) {
  const deciding = useChange({
    change: () =>
      answerOf(
        api.POST('/management/organizations/{orgId}/users/{userId}/_process', {
          params: { path: pathOf(user) },
          body: isAccepted,
        }),
      ),
    touches,
    onDone: onClose,
  });
  const { displayName, email } = user;
  return (
    <FormDialog
      title={isAccepted ? `Let ${displayName} in?` : `Reject ${displayName}?`}
      about={
        isAccepted
          ? `${email ?? displayName} gets a mail, and the roles that are given by default.`
          : `${email ?? displayName} gets a mail, and cannot register again until the user is deleted.`
      }
      isOpen
      onClose={onClose}
      submit={{
        verb: isAccepted ? 'Accept registration' : 'Reject registration',
        mutation: deciding,
        isDangerous: !isAccepted,
      }}
    />
  );
}

/** Lets somebody in no more, until he is enabled again. */
export function DisableUser({ user, onClose }: Asked) {
  const disabling = useChange({
    change: () => setEnabled(user, false),
    touches,
    onDone: onClose,
    said: () => ({ text: `${user.displayName} is disabled`, undo: () => setEnabled(user, true) }),
  });
  return (
    <FormDialog
      title={`Disable ${user.displayName}?`}
      about="Nothing is lost: enabled again, everything is as it was. APIs and applications go on."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Disable user', mutation: disabling, isDangerous: true }}
    >
      <Effects
        effects={[
          ['all', 'sessions end at once'],
          [String(user.number_of_active_tokens), 'tokens open nothing until then'],
        ]}
      />
    </FormDialog>
  );
}

/** Another password, for who has lost his. */
export function ResetPassword({ user, onClose }: Asked) {
  const [password, setPassword] = useState('');
  const [deletesTokens, setDeletesTokens] = useState(false);
  const resetting = useChange({
    change: () =>
      answerOf(
        api.POST('/management/organizations/{orgId}/users/{userId}/resetPassword', {
          params: { path: pathOf(user) },
          body: { password, deleteTokens: deletesTokens },
        }),
      ),
    touches,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Set the password of ${user.displayName}`}
      about="All sessions end. Nobody is told: hand the password over."
      isOpen
      onClose={onClose}
      submit={{ isSecret: true, verb: 'Set password', mutation: resetting, isReady: password !== '' }}
    >
      <TextField
        label="New password"
        hint="12 to 256 characters"
        type="password"
        autoComplete="new-password"
        maxLength={256}
        autoFocus
        value={password}
        error={Problem.at(resetting.error, 'password')}
        onChange={({ target: { value } }) => setPassword(value)}
      />
      <SwitchField
        label={`Delete the ${user.number_of_active_tokens} tokens too`}
        hint="When somebody else may have had them"
        isOn={deletesTokens}
        onChange={setDeletesTokens}
      />
    </FormDialog>
  );
}

/** Takes the second factor of somebody who has lost it. */
export function ResetSecondFactor({ user, onClose }: Asked) {
  const resetting = useChange({
    change: () =>
      answerOf(
        api.POST('/management/organizations/{orgId}/users/{userId}/_resetSecondFactor', {
          params: { path: pathOf(user) },
        }),
      ),
    touches,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Take the second factor of ${user.displayName}?`}
      about="For who has lost the app and the recovery codes. Be sure who asks you: from now on the password is enough."
      isOpen
      onClose={onClose}
      submit={{ verb: 'Take second factor', mutation: resetting, isDangerous: true }}
    >
      <Effects
        effects={[
          ['all', 'sessions end at once'],
          ['all', 'recovery codes count no more'],
        ]}
      />
    </FormDialog>
  );
}

/** Deletes somebody, which nothing brings back. */
export function DeleteUser({ user, onClose, onDeleted }: Asked & { readonly onDeleted: () => void }) {
  const [typed, setTyped] = useState('');
  const deleting = useChange({
    change: () =>
      answerOf(
        api.DELETE('/management/organizations/{orgId}/users/{userId}', { params: { path: pathOf(user) } }),
      ),
    touches: [['users', 'list'], ['people']],
    onDone: onDeleted,
  });
  return (
    <FormDialog
      title={`Delete ${user.displayName}?`}
      about="What tells who it was goes, from every list; the audit keeps the id."
      isOpen
      onClose={onClose}
      submit={{
        verb: 'Delete user',
        mutation: deleting,
        isDangerous: true,
        isReady: typed === user.username,
      }}
    >
      <Effects
        effects={[
          ['all', 'sessions, roles and memberships end'],
          [String(user.number_of_active_tokens), 'tokens are deleted'],
        ]}
      />
      <TextField
        label={`Type the user name: ${user.username}`}
        value={typed}
        autoComplete="off"
        autoFocus
        onChange={({ target: { value } }) => setTyped(value)}
      />
    </FormDialog>
  );
}

/** Roles on the organization or an environment, in place of those that are held there. */
export function GiveRoles({
  user,
  place,
  onClose,
}: Asked & {
  readonly place: {
    readonly scope: 'ORGANIZATION' | 'ENVIRONMENT';
    readonly id: string;
    readonly name: string;
    readonly held: readonly string[];
  };
}) {
  const { data } = useQuery(rolesOf(place.scope));
  const [chosen, setChosen] = useState(place.held);
  const giving = useChange({
    change: () =>
      answerOf(
        api.PUT('/management/organizations/{orgId}/users/{userId}/roles', {
          params: { path: pathOf(user) },
          body: { referenceType: place.scope, referenceId: place.id, roles: [...chosen] },
        }),
      ),
    touches,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Roles of ${user.displayName}`}
      about={`On ${place.name}. They count from the next request on.`}
      isOpen
      onClose={onClose}
      submit={{ verb: 'Give roles', mutation: giving }}
    >
      <ChecksField
        label={place.name}
        choices={(data ?? []).map(({ name, description }) => ({
          id: name,
          name: spoken(name),
          about: description,
        }))}
        chosen={chosen}
        onChange={setChosen}
      />
    </FormDialog>
  );
}
