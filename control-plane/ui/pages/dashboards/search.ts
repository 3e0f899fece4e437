import { trafficSearch, type TrafficSearch } from '../traffic/search.ts';

/** What of a dashboard its address says: span, narrowing, and what figures over time are grouped by. */
export interface DashboardSearch extends TrafficSearch {
  readonly by?: string;
}

/** What figures over time can be grouped by, beside what each widget says. */
export const groupings = [
  ['API', 'API'],
  ['APPLICATION', 'Application'],
  ['PLAN', 'Plan'],
  ['GATEWAY', 'Gateway'],
  ['HTTP_METHOD', 'Method'],
  ['HTTP_STATUS_CODE_GROUP', 'Status group'],
  ['HTTP_STATUS', 'Status'],
  ['ERROR_KEY', 'Error key'],
] as const;

/** Reads an address. */
export const dashboardSearch = (search: Record<string, unknown>): DashboardSearch => ({
  ...trafficSearch(search),
  ...(groupings.some(([by]) => by === search['by']) && { by: String(search['by']) }),
});
