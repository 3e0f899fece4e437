import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useChange } from '../../api/change.ts';
import { forgetTold, pageSize, type Told, toldPage } from '../../api/notifications.ts';
import { Button } from '../../kit/button.tsx';
import { PageHeader } from '../../kit/page.tsx';
import { type Column, DataTable, deedsColumn } from '../../kit/table.tsx';
import { Time } from '../../kit/time.tsx';
import { Empty, ProblemBox } from '../../kit/told.tsx';

/** What the reader was told, newest first, until it is removed. */
export function Notifications() {
  const [page, setPage] = useState(1);
  const { data, error } = useQuery({ ...toldPage(page), placeholderData: keepPreviousData });
  const removing = useChange({ change: async () => forgetTold(undefined), touches: [['notifications']] });
  const [removed, setRemoved] = useState<string>();
  const removingOne = useChange({
    change: async () => forgetTold(removed),
    touches: [['notifications']],
  });
  const total = data?.page.total_elements ?? 0;
  return (
    <>
      <PageHeader
        title="Notifications"
        sub="What you asked to be told of"
        actions={
          total > 0 ? (
            <Button
              disabled={removing.isPending}
              onClick={() => {
                setPage(1);
                removing.mutate();
              }}
            >
              Remove all
            </Button>
          ) : undefined
        }
      />
      {removing.error !== null && <ProblemBox error={removing.error} />}
      {removingOne.error !== null && <ProblemBox error={removingOne.error} />}
      <DataTable
        label="Notifications"
        rows={data?.data}
        error={error}
        keyOf={({ id }) => id}
        columns={columnsOf((told) => {
          setRemoved(told.id);
          removingOne.mutate();
        })}
        paging={{ page, perPage: pageSize, total, onPage: setPage }}
        empty={
          <Empty title="Nothing new">
            Choose what you are told of on the page Notifications of an API or an application, or in the
            settings of an environment.
          </Empty>
        }
      />
    </>
  );
}

function columnsOf(onRemove: (told: Told) => void): readonly Column<Told>[] {
  return [
    { title: 'What', cell: ({ title }) => <b className="clip">{title}</b> },
    { title: 'Message', cell: ({ message }) => <span className="second">{message}</span> },
    { title: 'When', align: 'end', cell: ({ created_at: at }) => <Time at={at} /> },
    ...deedsColumn<Told>('Remove', [
      { verb: 'Remove', label: ({ title }) => `Remove ${title}`, onDo: onRemove },
    ]),
  ];
}
