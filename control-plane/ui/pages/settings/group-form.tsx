import { api, answerOf, ifMatch, organization, taggedAnswerOf } from '../../api/client.ts';
import { useChange } from '../../api/change.ts';
import { Problem } from '../../api/problem.ts';
import { useRights } from '../../api/rights.ts';
import { demandAsSeen, useWritten } from '../../api/written.ts';
import { Button } from '../../kit/button.tsx';
import { SwitchField, TextField } from '../../kit/field.tsx';
import { Discard } from '../../kit/page.tsx';
import { ProblemBox } from '../../kit/told.tsx';
import { Unsaved } from '../../kit/unsaved.tsx';
import styles from '../account/account.module.css';
import type { Group } from './questions.ts';
import { RoleField } from './role-field.tsx';

type Event = Group['event_rules'][number]['event'];

/** What a group gives its members, and what those may do who administer it. */
export function GroupForm({
  env,
  group,
  isReadOnly,
}: {
  readonly env: string;
  readonly group: Group;
  readonly isReadOnly: boolean;
}) {
  const written = useWritten<Group, Group>(group);
  const may = useRights({ env });
  const shown = { ...group, ...written.fields };
  const { write: set, isWritten: isChanged } = written;
  const saving = useChange({
    change: () => saveGroup(env, written.over, written.fields),
    touches: [['groups', env]],
    written,
  });
  // Who administers a group and no more changes its name and the roles that are not locked.
  const isWhole = may('GROUP', 'U');
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isChanged && !saving.isPending) saving.mutate();
      }}
    >
      <fieldset className={styles['rows']} disabled={isReadOnly}>
        <TextField
          label="Name"
          value={shown.name}
          maxLength={256}
          error={Problem.at(saving.error, 'name')}
          onChange={({ target: { value } }) => set({ name: value })}
        />
        <div className={styles['pair']}>
          {/* What a member holds unless he is given another one. */}
          {(['API', 'APPLICATION'] as const).map((scope) => (
            <RoleField
              key={scope}
              scope={scope}
              value={shown.roles[scope] ?? ''}
              onChange={(role) => {
                const { [scope]: _, ...others } = shown.roles;
                set({ roles: role === '' ? others : { ...others, [scope]: role } });
              }}
            />
          ))}
        </div>
        {isWhole && <Decided group={shown} error={saving.error} onChange={set} />}
        {saving.error !== null && <ProblemBox error={saving.error} />}
        {isChanged && (
          <div className={styles['end']}>
            <Unsaved />
            <Discard {...{ saving, written }} />
            <Button type="submit" look="primary" disabled={saving.isPending || shown.name.trim() === ''}>
              Save group
            </Button>
          </div>
        )}
      </fieldset>
    </form>
  );
}

/** Errors: Problem, with status 412 when somebody else wrote the same since it was `seen`, or writes it now. */
async function saveGroup(env: string, seen: Group, written: Partial<Group>): Promise<Group> {
  const path = '/management/organizations/{orgId}/environments/{envId}/configuration/groups/{groupId}';
  const params = { path: { orgId: organization, envId: env, groupId: seen.id } };
  const { data: now, tag } = await taggedAnswerOf(api.GET(path, { params }));
  demandAsSeen({ seen, now }, written);
  const group = { ...now, ...written };
  return answerOf(
    api.PUT(path, {
      params,
      headers: ifMatch(tag),
      body: {
        name: group.name,
        event_rules: group.event_rules,
        roles: group.roles,
        // 0 stands for an empty field, which is no bound.
        max_invitation: group.max_invitation === 0 ? null : (group.max_invitation ?? null),
        lock_api_role: group.lock_api_role,
        lock_application_role: group.lock_application_role,
        system_invitation: group.system_invitation,
        disable_membership_notifications: group.disable_membership_notifications,
      },
    }),
  );
}

/** What those alone decide who may write groups of the environment. */
function Decided({
  group,
  error,
  onChange,
}: {
  readonly group: Group;
  readonly error: unknown;
  readonly onChange: (part: Partial<Group>) => void;
}) {
  const given = (event: Event) => ({
    isOn: group.event_rules.some((rule) => rule.event === event),
    onChange: (isOn: boolean) =>
      onChange({
        event_rules: [
          ...group.event_rules.filter((rule) => rule.event !== event),
          ...(isOn ? [{ event }] : []),
        ],
      }),
  });
  return (
    <>
      <SwitchField label="Give it to every new API" {...given('API_CREATE')} />
      <SwitchField label="Give it to every new application" {...given('APPLICATION_CREATE')} />
      <SwitchField
        label="Its administrators may add users"
        hint="Else only who may write groups of the environment"
        isOn={group.system_invitation}
        onChange={(isOn) => onChange({ system_invitation: isOn })}
      />
      <TextField
        label="Members at most"
        hint="How far its administrators may let it grow; empty for 1,000"
        isOptional
        type="number"
        min={1}
        max={1_000}
        value={group.max_invitation === 0 ? '' : (group.max_invitation ?? '')}
        error={Problem.at(error, 'max_invitation')}
        onChange={({ target: { valueAsNumber } }) =>
          onChange({ max_invitation: Number.isNaN(valueAsNumber) ? 0 : valueAsNumber })
        }
      />
    </>
  );
}
