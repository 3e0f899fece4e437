import type { ReactNode } from 'react';

/** A policy, a group of them or a resource, in a list to choose one from. */
export const PluginItem = ({
  picture,
  name,
  about,
  onChoose,
}: {
  readonly picture: ReactNode;
  readonly name: string;
  readonly about: string;
  readonly onChoose: () => void;
}) => (
  <li>
    <button type="button" onClick={onChoose}>
      {picture}
      <span>
        <b>{name}</b>
        <span className="second">{about}</span>
      </span>
    </button>
  </li>
);
