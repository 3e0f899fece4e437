import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Choice, SearchField } from '../../kit/search-field.tsx';
import { foundPeople } from '../organization/questions.ts';

const shownMax = 20;

/** Somebody of the organization, found by name or mail address. */
export function PersonField({
  label = 'User',
  without = [],
  value,
  onChoose,
}: {
  readonly label?: string;
  /** Ids of whom nobody has to choose. */
  readonly without?: readonly string[];
  readonly value: Choice | undefined;
  readonly onChoose: (person: Choice | undefined) => void;
}) {
  const [text, setText] = useState('');
  const { data, isFetching } = useQuery(foundPeople(text.trim()));
  const choices = (data ?? [])
    .filter(({ id }) => !without.includes(id))
    .slice(0, shownMax)
    .map(({ id, displayName, email }): Choice => ({ id, name: displayName, about: email }));
  return (
    <SearchField
      label={label}
      choices={choices}
      isAwaited={isFetching}
      value={value}
      onChoose={onChoose}
      onSearch={setText}
    />
  );
}
