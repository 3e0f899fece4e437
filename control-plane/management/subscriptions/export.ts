import type { Desk } from '../desk.ts';
import type { ApiRef } from '../apis/api-gate.ts';
import type { Content } from '../route.ts';
import { findSubscriptions, type SubscriptionSearch } from './showing.ts';

/** Most rows of an export that asks for no page. */
export const exportRowsMax = 10_000;

const columns = ['Plan', 'Application', 'Creation date', 'Process date', 'Start date', 'End date', 'Status'];

/** The subscriptions of an API as a table for people, in the reference's columns: separated by semicolons, with dates in ISO 8601. */
export async function exportSubscriptions(desk: Desk, input: ApiRef & SubscriptionSearch): Promise<Content> {
  const { data } = await findSubscriptions(desk, input);
  const lines = data.map((one) => {
    const { plan, application } = one as unknown as { readonly plan: Named; readonly application: Named };
    const dates = [one['createdAt'], one['processedAt'], one['startingAt'], one['endingAt']];
    return [plan.name ?? plan.id, application.name ?? application.id, ...dates, one['status']]
      .map(cell)
      .join(';');
  });
  return {
    type: 'text/csv; charset=utf-8',
    text: `${[columns.join(';'), ...lines].join('\n')}\n`,
    fileName: `subscriptions-${input.id}-${desk.clock.now()}.csv`,
  };
}

interface Named {
  readonly id: string;
  readonly name?: string;
}

/** A cell that no spreadsheet takes for a formula: names are written by whoever may make an application. */
function cell(value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[";\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
